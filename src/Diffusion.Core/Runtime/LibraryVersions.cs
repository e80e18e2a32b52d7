using System.Reflection;
using TorchSharp;

namespace Diffusion;

/// <summary>The versions of what computes.</summary>
internal static class LibraryVersions
{
    public static string Library { get; } = Of(typeof(LibraryVersions));

    public static IReadOnlyDictionary<string, string> All { get; } = new Dictionary<string, string>
    {
        ["Diffusion.Core"] = Library,
        ["TorchSharp"] = Of(typeof(torch)),
        ["libtorch"] = torch.__version__,
        [".NET"] = Environment.Version.ToString(),
    };

    private static string Of(Type type) => type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
