using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>
/// The models, configurations and images that come with the program. The documentation calls them as they are called in the repository, samples/models/mnist and so on; elsewhere,
/// as where the program is an installed tool, these names mean what lies beside the program.
/// </summary>
internal static class IncludedFiles
{
    private const string Samples = "samples";

    private static readonly string[] s_folders = ["configs", "data", "models"];

    /// <summary>The path itself where there is something, or where nothing of this name comes with the program.</summary>
    /// <param name="path">A path of the command line that is read, never one that is written to.</param>
    public static string Find(string path) => Find(path, AppContext.BaseDirectory);

    /// <param name="path">The path.</param>
    /// <param name="program">The folder of the program.</param>
    internal static string Find(string path, string program)
    {
        if (Path.Exists(path) || path.Split('/', '\\') is not [Samples, var folder, .. var rest] || !s_folders.Contains(folder) || rest.Contains(".."))
        {
            return path;
        }

        var included = Path.Combine([program, folder, .. rest]);
        if (!Path.Exists(included))
        {
            return path;
        }

        AnsiConsole.MarkupLineInterpolated($"There is no {path} here: taking the one that comes with this program, {included}.");
        return included;
    }
}
