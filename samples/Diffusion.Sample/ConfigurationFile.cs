using Diffusion.Configuration;

namespace Diffusion.Sample;

/// <summary>Reads configurations for the command line: a file that is missing or is no JSON is wrong usage.</summary>
internal static class ConfigurationFile
{
    public static RunOptions Load(string path)
    {
        try
        {
            return RunConfiguration.Load(path);
        }
        catch (Exception e) when (e is FileNotFoundException or InvalidDataException or UnauthorizedAccessException)
        {
            throw new UsageException(e.Message);
        }
    }
}
