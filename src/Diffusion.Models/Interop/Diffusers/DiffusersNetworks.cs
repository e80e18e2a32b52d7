using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>A network that was built by a configuration of diffusers, and the names that its weights have there.</summary>
/// <param name="Module">Takes noisy images [B, C, H, W] and timesteps [B]; its weights are still to be loaded.</param>
/// <param name="Keys">From the names of diffusers to those of the module, and back.</param>
/// <param name="File">The file of its weights, where they are loaded.</param>
internal sealed record DiffusersNetwork(nn.Module<Tensor, Tensor, Tensor> Module, KeyMap Keys, string? File = null);

/// <summary>Which classes of networks can be built, and how: the text of unet/config.json makes the network.</summary>
internal static class DiffusersNetworks
{
    private static readonly Dictionary<string, Func<string, WeightFiles, Func<DiffusersUNet, DiffusersUNet>, DiffusersNetwork>> s_builders = new(StringComparer.Ordinal)
    {
        [UNet2DReader.ClassName] = Described,
    };

    /// <summary>The network of any class that is described as a block list.</summary>
    /// <param name="config">The text of its config.json.</param>
    /// <param name="weights">The weights that it is built for; it may not be larger than they are.</param>
    /// <param name="inPatches">Puts it on patches, where something says so.</param>
    public static DiffusersNetwork Described(string config, WeightFiles weights, Func<DiffusersUNet, DiffusersUNet> inPatches)
    {
        var described = inPatches(DiffusersUNet.Parse(config));
        weights.ThrowIfSmallerThan(described.Options);
        return new DiffusersNetwork(described.Build(), described.Keys);
    }

    /// <exception cref="InvalidDataException">The class is not known, or a value of the configuration is not; the message names it.</exception>
    public static DiffusersNetwork Build(string config, WeightFiles weights, Func<DiffusersUNet, DiffusersUNet> inPatches)
    {
        var className = ModelIndex.ClassNameOf(config);
        return s_builders.TryGetValue(className, out var build)
            ? build(config, weights, inPatches)
            : throw new InvalidDataException(
                $"The network class \"{className}\" is not known; this library builds {string.Join(", ", s_builders.Keys)}.");
    }

    /// <summary>A network with its weights, in evaluation mode.</summary>
    /// <param name="config">The text of its config.json.</param>
    /// <param name="folder">The folder of its weights.</param>
    /// <param name="variant">Which of them.</param>
    /// <param name="build">Makes the network of the text: <see cref="Described"/>, <see cref="Build"/>, or something else.</param>
    /// <exception cref="InvalidDataException">As of <see cref="Build"/>, or the weights do not fit; the message lists all differences.</exception>
    public static DiffusersNetwork Load(string config, string folder, string? variant, Func<string, WeightFiles, DiffusersNetwork> build)
    {
        using var files = WeightFiles.OpenNetwork(folder, variant: variant);
        var network = build(config, files);
        try
        {
            using var theirs = files.Load();
            Fill(network, theirs, files.Path);
            network.Module.eval();
            return network with { File = files.Path };
        }
        catch
        {
            network.Module.Dispose();
            throw;
        }
    }

    private static void Fill(DiffusersNetwork network, TensorDictionary theirs, string file)
    {
        try
        {
            Weights.Load(network.Module, network.Keys.ToOurs(theirs));
        }
        catch (ArgumentException error)
        {
            throw new InvalidDataException($"'{file}' does not fit the network that its config.json describes. {error.Message}", error);
        }
    }
}
