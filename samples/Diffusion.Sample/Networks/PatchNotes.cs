using Diffusion.Configuration;
using Diffusion.Models;
using Microsoft.Extensions.Options;

namespace Diffusion.Sample;

/// <summary>What files of weights under the names of other projects do not say: that the network is one on patches of pixels.</summary>
internal static class PatchNotes
{
    /// <exception cref="UsageException">The weights are of a run on patches, and are to be a file of another project, where nothing says so.</exception>
    /// <param name="weights">The weights, whose header says which run they are of.</param>
    /// <param name="dialect">The other project.</param>
    public static void ThrowIfLost(WeightFiles weights, string dialect)
    {
        if (PatchSizeOfRun(weights) is var patch and not 1)
        {
            throw new UsageException(
                $"'{weights.Path}' is of a run on patches of {patch}×{patch} pixels (model.dialect.patchSize), which no file of {dialect} says. A pipeline of diffusers does: --to DIR --dialect diffusers without --reverse.");
        }
    }

    /// <summary>What of a pipeline's folder a single file of its weights does not have; <see langword="null"/> where that is no patches.</summary>
    public static string? Left(string from)
    {
        if (!File.Exists(Path.Combine(from, "model_index.json")))
        {
            return null;
        }

        try
        {
            return DiffusersFolder.Read(from).PatchSize is var patch and not 1
                ? $"The patches of {patch}×{patch} pixels that model_index.json notes are not in the file: its network takes the pixels of a patch as channels."
                : null;
        }
        catch (Exception e) when (e is InvalidDataException or FileNotFoundException)
        {
            return null; // no pipeline of this library, which alone notes patches
        }
    }

    private static int PatchSizeOfRun(WeightFiles weights)
    {
        try
        {
            return weights.Metadata.TryGetValue(RunConfiguration.MetadataKey, out var run) ? RunConfiguration.Parse(run, weights.Path).Model.Dialect.PatchSize : 1;
        }
        catch (Exception e) when (e is InvalidDataException or OptionsValidationException)
        {
            return 1; // names can be changed all the same
        }
    }
}
