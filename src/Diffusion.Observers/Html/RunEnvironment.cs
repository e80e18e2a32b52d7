using System.Globalization;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Diffusion.Observers;

/// <summary>The machine and the versions of what computes.</summary>
internal static class RunEnvironment
{
    public static IEnumerable<(string Name, string Value)> Facts(Device device)
    {
        yield return ("Device", device.ToString());
        yield return ("Processors", string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessorCount}, {get_num_threads()} threads of libtorch"));
        yield return ("System", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}");
        foreach (var (name, version) in LibraryVersions.All)
        {
            yield return (name, version);
        }
    }
}
