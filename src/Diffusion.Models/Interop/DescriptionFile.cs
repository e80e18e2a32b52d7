namespace Diffusion.Models;

/// <summary>Reads the file that describes a network or a scheduler.</summary>
internal static class DescriptionFile
{
    /// <param name="file">The file.</param>
    /// <param name="kind">What it should be, for the message.</param>
    /// <param name="parse">Reads its text.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no plain file, or not what it should be; the message names it and the reason.</exception>
    public static T Read<T>(string file, string kind, Func<string, T> parse)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        if (!File.Exists(file))
        {
            throw new FileNotFoundException($"There is no file '{file}'.", file);
        }

        var text = PlainFile.ReadText(file);
        try
        {
            return parse(text);
        }
        catch (InvalidDataException error)
        {
            throw new InvalidDataException($"'{file}' cannot be read as {kind}: {error.Message}", error);
        }
    }
}
