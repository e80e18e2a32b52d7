using Diffusion.Configuration;
using Diffusion.Evaluation;

namespace Diffusion.Sample;

/// <summary>The network in whose features images are compared.</summary>
internal static class FeatureChoice
{
    private const string Digits = "digits";
    private const string Textures = "textures";

    private static readonly ImageShape s_embedded = new(1, 28, 28);

    /// <summary>What the images must be for the features that are asked for; <see langword="null"/> where a network takes others, too.</summary>
    public static ImageShape? Shape(string? name) => name is Digits or Textures ? s_embedded : null;

    /// <summary>The features that go with a reference.</summary>
    /// <param name="kind">What the reference is.</param>
    /// <exception cref="UsageException">None do.</exception>
    public static string For(DataKind? kind) => kind switch
    {
        DataKind.Mnist => Digits,
        DataKind.Textures => Textures,
        _ => throw new UsageException($"Give the features that the images are compared in by --features: {Digits}, {Textures} (both for grey images of 28×28), or a file of a network."),
    };

    /// <summary>Opens them.</summary>
    /// <param name="name">A name, or a file.</param>
    /// <param name="shape">The shape of the images.</param>
    /// <exception cref="UsageException">There is no such file, or the network takes other images.</exception>
    public static IFeatureExtractor Open(string name, ImageShape shape)
    {
        if (Shape(name) is { } needed)
        {
            return shape == needed
                ? name == Digits ? ImageClassifier.Digits() : ImageClassifier.Textures()
                : throw new UsageException($"--features {name} takes images of {needed}, grey; these are {shape}. Give a network for them by --features FILE.");
        }

        if (!File.Exists(name))
        {
            throw new UsageException($"--features must be {Digits}, {Textures} or a file of a network; there is no file '{name}'.");
        }

        return Path.GetExtension(name).Equals(".safetensors", StringComparison.OrdinalIgnoreCase) ? ImageClassifier.Load(name) : throw new UsageException("later");
    }
}
