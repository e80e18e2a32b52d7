using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// The state of a training run at one step: a folder with safetensors files and a JSON manifest that names them with their hashes.
/// Nothing in it is executable. The folder appears whole or not at all, and opening it checks every byte.
/// </summary>
public sealed class Checkpoint
{
    /// <summary>The file with the network's weights.</summary>
    public const string ModelFile = "model.safetensors";

    /// <summary>The file with the averaged weights.</summary>
    public const string EmaFile = "ema.safetensors";

    internal const string AveragesFolder = "averages";

    internal const string OptimizerFile = "optimizer.safetensors";
    private const string Prefix = "step-";

    private Checkpoint(string folder, CheckpointManifest manifest)
    {
        Folder = folder;
        Manifest = manifest;
    }

    /// <summary>The checkpoint's folder.</summary>
    public string Folder { get; }

    /// <summary>The optimizer steps done.</summary>
    public int Step => Manifest.Step;

    /// <summary>The seed of the run.</summary>
    public long Seed => Manifest.Seed;

    /// <summary>The images of a step.</summary>
    public int BatchSize => Manifest.BatchSize;

    /// <summary>The version of this library that wrote it.</summary>
    public string Library => Manifest.Library;

    /// <summary>The names of the classes that were trained on, by label; empty where the source had none, or an older version wrote the checkpoint.</summary>
    public IReadOnlyList<string> ClassNames => Manifest.Images?.ClassNames ?? [];

    /// <summary>The names of the files that belong to it, beside its manifest.</summary>
    public IReadOnlyCollection<string> Files => [.. Manifest.Files.Keys];

    /// <summary>What the checkpoint says of itself: the content of its manifest.</summary>
    internal CheckpointManifest Manifest { get; }

    /// <summary>Opens a checkpoint and checks that it is whole.</summary>
    /// <param name="folder">The folder that holds the manifest.</param>
    /// <returns>The checkpoint.</returns>
    /// <exception cref="InvalidDataException">There is no checkpoint, it is damaged, or it is of another format; the message says which.</exception>
    public static Checkpoint Open(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var path = Path.Combine(folder, CheckpointManifest.FileName);
        try
        {
            var manifest = CheckpointManifest.Parse(PlainFile.ReadText(path));
            if (manifest.Fault() is { } fault)
            {
                throw new InvalidDataException($"'{path}' {fault}");
            }

            foreach (var (name, expected) in manifest.Files)
            {
                if (!IsAsExpected(Path.Combine(folder, name), expected))
                {
                    throw new InvalidDataException($"'{Path.Combine(folder, name)}' is not the file that the manifest describes: it is damaged.");
                }
            }

            return new Checkpoint(folder, manifest);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidDataException($"'{folder}' is not a whole checkpoint: {e.Message}", e);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"'{path}' is not a checkpoint's manifest: {e.Message}", e);
        }
    }

    /// <summary>The checkpoints of a run, newest first, whole or not.</summary>
    /// <param name="folder">The folder that holds the checkpoints' folders; it need not exist.</param>
    /// <returns>Their folders.</returns>
    public static IReadOnlyList<string> List(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return !Directory.Exists(folder)
            ? []
            : [.. Directory.EnumerateDirectories(folder, Prefix + "*")
                .Where(path => StepOf(path) is not null)
                .OrderByDescending(StepOf)];
    }

    /// <summary>The newest checkpoint of a run that is whole.</summary>
    /// <param name="folder">The folder that holds the checkpoints' folders.</param>
    /// <param name="skipped">Told of each newer checkpoint that is not whole, and why.</param>
    /// <returns>The checkpoint, or <see langword="null"/> if there is none.</returns>
    public static Checkpoint? Newest(string folder, Action<string>? skipped = null)
    {
        Recover(folder, skipped);
        foreach (var candidate in List(folder))
        {
            try
            {
                return Open(candidate);
            }
            catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                skipped?.Invoke(e.Message);
            }
        }

        return null;
    }

    /// <summary>Deletes all checkpoints of a run, and the snapshots of its averages.</summary>
    /// <param name="folder">The folder that holds the checkpoints' folders; it need not exist.</param>
    /// <exception cref="IOException">A process or trainer writes to the folder, or it cannot be deleted.</exception>
    public static void DeleteAll(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!Directory.Exists(folder))
        {
            return;
        }

        try
        {
            using var taken = FolderLock.Take(folder);
            DeleteUnfinished(folder);
            foreach (var each in (IEnumerable<string>)[.. List(folder), Path.Combine(folder, AveragesFolder)])
            {
                AtomicFolder.Delete(each);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The checkpoints in '{folder}' cannot be deleted: {e.Message}", e);
        }
    }

    /// <summary>Puts back a checkpoint that a killed run had moved aside to replace it.</summary>
    private static void Recover(string folder, Action<string>? skipped)
    {
        if (!Directory.Exists(folder) || !AtomicFolder.NeedsRecovery(folder, Prefix + "*"))
        {
            return;
        }

        try
        {
            using var taken = FolderLock.Take(folder);
            AtomicFolder.Recover(folder, Prefix + "*");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            skipped?.Invoke($"A checkpoint in '{folder}' was to be replaced and cannot be put back: {e.Message}");
        }
    }

    /// <summary>The step that a checkpoint's folder is named after; null for another folder.</summary>
    internal static long? StepOf(string path) =>
        long.TryParse(Path.GetFileName(path)[Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : null;

    /// <summary>Clears away what a run that was killed while it saved has left.</summary>
    internal static void DeleteUnfinished(string folder)
    {
        AtomicFolder.Recover(folder, Prefix + "*");
        var averages = Path.Combine(folder, AveragesFolder);
        foreach (var unfinished in Directory.Exists(averages) ? Directory.GetFiles(averages, "*.tmp") : [])
        {
            AtomicFile.TryDelete(unfinished);
        }
    }

    /// <summary>Writes the files into a temporary folder and renames it, so that a checkpoint is never half written.</summary>
    internal static Checkpoint Save(
        string folder,
        CheckpointManifest manifest,
        IReadOnlyDictionary<string, IEnumerable<KeyValuePair<string, Tensor>>> files,
        IReadOnlyDictionary<string, string> metadata)
    {
        var target = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{manifest.Step:D8}"));
        AtomicFolder.Write(
            target,
            temporary =>
            {
                foreach (var (name, tensors) in files)
                {
                    Safetensors.Save(Path.Combine(temporary, name), tensors, metadata);
                }

                manifest = manifest with { Files = files.Keys.Order(StringComparer.Ordinal).ToDictionary(name => name, name => Describe(Path.Combine(temporary, name))) };
                AtomicFile.WriteText(Path.Combine(temporary, CheckpointManifest.FileName), manifest.ToJson());
            },
            replaces: () => !Directory.Exists(target) || !Same(target, manifest)); // the same step again: what is whole stays
        return new Checkpoint(target, manifest);
    }

    private static bool Same(string folder, CheckpointManifest manifest)
    {
        try
        {
            return Open(folder).Manifest.Files.OrderBy(file => file.Key, StringComparer.Ordinal).SequenceEqual(manifest.Files.OrderBy(file => file.Key, StringComparer.Ordinal));
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Reads a file to its end only where its size is right.</summary>
    private static bool IsAsExpected(string path, CheckpointFile? expected)
    {
        using var stream = PlainFile.OpenRead(path);
        return stream.Length == expected?.Bytes && Describe(stream) == expected;
    }

    private static CheckpointFile Describe(string path)
    {
        using var stream = PlainFile.OpenRead(path);
        return Describe(stream);
    }

    private static CheckpointFile Describe(Stream stream) => new(stream.Length, Convert.ToHexString(SHA256.HashData(stream)));
}
