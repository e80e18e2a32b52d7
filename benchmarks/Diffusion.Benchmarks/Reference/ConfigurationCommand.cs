namespace Diffusion.Benchmarks;

/// <summary>Writes the reference of the configuration file.</summary>
internal static class ConfigurationCommand
{
    public const string Verb = "configuration";

    /// <summary>Where the page is, from the folder of the solution.</summary>
    public static string Page { get; } = Path.Combine("docs", "configuration.md");

    /// <summary>Writes the page, or the file that is given.</summary>
    /// <returns>0 where it is written, 2 where the arguments are wrong.</returns>
    public static int Run(string[] args)
    {
        if (args.Length > 1 || (args is [var option] && option.StartsWith('-')))
        {
            Console.Error.WriteLine($"usage: {Verb} [FILE.md]");
            return 2;
        }

        var path = args is [var given] ? given : Path.Combine(Golden.Folder, "..", "..", Page);
        File.WriteAllText(path, ConfigurationReference.Text());
        Console.WriteLine(Path.GetFullPath(path));
        return 0;
    }
}
