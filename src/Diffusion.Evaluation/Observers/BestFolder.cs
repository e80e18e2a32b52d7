using System.Globalization;
using System.Text.Json;

namespace Diffusion.Evaluation;

/// <summary>
/// The folder with the weights of the best step: those of <see cref="Trainer.Export"/>, and <c>best.json</c>, which says which step and how good. It is replaced as a whole. Where a run was cancelled while it measured, <c>unmeasured.txt</c>
/// says after which step.
/// </summary>
internal sealed class BestFolder(string path)
{
    private const string FileName = "best.json";
    private const string UnmeasuredName = "unmeasured.txt";

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>The file that says what is in the folder.</summary>
    private string Record => Path.Combine(path, FileName);

    private string UnmeasuredFile => Path.Combine(path, UnmeasuredName);

    /// <summary>Finds out whether the folder can be written, and puts back what a killed run has moved aside.</summary>
    /// <exception cref="IOException">It cannot be written; or it is a file, or a folder with something else.</exception>
    public void Prepare()
    {
        if (File.Exists(path) || PlainFile.OtherKind(path) is not null)
        {
            throw new IOException($"'{path}' is a file; a folder is needed for the best weights.");
        }

        var whole = PathNames.Whole(path);
        var above = Path.GetDirectoryName(whole) ?? throw new IOException($"'{path}' is the root of a disk; a folder of its own is needed for the best weights.");
        try
        {
            DurableFolder.Create(above);
            AtomicFolder.Recover(above, Path.GetFileName(whole) + ".*");
            var probe = AtomicFile.TemporaryFor(whole);
            AtomicFile.WriteText(probe, "");
            AtomicFile.TryDelete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The best weights cannot be written to '{path}': {e.Message} Choose another folder.", e);
        }

        if (Directory.Exists(path) && !File.Exists(Record) && Directory.EnumerateFileSystemEntries(path).Any(entry => Path.GetFileName(entry) != UnmeasuredName))
        {
            throw new IOException($"'{path}' has files and no {FileName}: it would be replaced by the best weights. Choose another folder.");
        }
    }

    /// <summary>What the folder says of itself; <see langword="null"/> where there is none.</summary>
    /// <exception cref="InvalidDataException">Its file is damaged.</exception>
    public BestDistance? Read()
    {
        if (!File.Exists(Record))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<BestDistance>(PlainFile.ReadText(Record), s_json) ?? throw new JsonException("it is empty.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"'{Record}' does not say which step is the best: {e.Message} Delete the folder, or choose another.", e);
        }
    }

    /// <summary>The step whose distance was not measured, for the run was cancelled; <see langword="null"/> where there is none.</summary>
    /// <exception cref="InvalidDataException">Its file is damaged.</exception>
    public int? Unmeasured() => !File.Exists(UnmeasuredFile) ? null
        : int.TryParse(PlainFile.ReadText(UnmeasuredFile), NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step
        : throw new InvalidDataException($"'{UnmeasuredFile}' does not say which step was not measured. Delete it.");

    /// <summary>Keeps, or forgets, which step was not measured.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SetUnmeasured(int? step)
    {
        if (step is { } number)
        {
            AtomicFile.WriteText(UnmeasuredFile, number.ToString(CultureInfo.InvariantCulture));
        }
        else if (File.Exists(UnmeasuredFile))
        {
            File.Delete(UnmeasuredFile);
        }
    }

    /// <summary>Replaces the folder.</summary>
    /// <exception cref="IOException">It cannot be written; what was there is whole.</exception>
    public void Write(Trainer trainer, BestDistance best) => AtomicFolder.Write(path, temporary =>
    {
        trainer.Export(temporary);
        AtomicFile.WriteText(Path.Combine(temporary, FileName), JsonSerializer.Serialize(best, s_json));
    });

    /// <summary>Throws where the folder has a distance that cannot be compared.</summary>
    /// <exception cref="InvalidOperationException">It was measured otherwise; the message says how.</exception>
    public void ThrowUnlessComparable(BestDistance best, DistanceSettings settings)
    {
        var then = best.Settings.KnownAs(settings);
        if (then != settings)
        {
            var changes = JsonDifference.Between(JsonSerializer.SerializeToElement(then, s_json), JsonSerializer.SerializeToElement(settings, s_json));
            throw new InvalidOperationException($"The distance in '{Record}' was measured otherwise and cannot be compared: {string.Join("; ", changes)}. Measure as before, or choose another folder for the best weights.");
        }
    }
}
