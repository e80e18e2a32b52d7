using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>A network that was built by a configuration of diffusers, and the names that its weights have there.</summary>
/// <param name="Module">Takes noisy images [B, C, H, W] and timesteps [B]; its weights are still to be loaded.</param>
/// <param name="Keys">From the names of diffusers to those of the module, and back.</param>
internal sealed record DiffusersNetwork(nn.Module<Tensor, Tensor, Tensor> Module, KeyMap Keys);

/// <summary>Which classes of networks can be built, and how: the text of unet/config.json makes the network.</summary>
internal static class DiffusersNetworks
{
    private static readonly Dictionary<string, Func<string, DiffusersNetwork>> s_builders = new(StringComparer.Ordinal)
    {
        [UNet2DReader.ClassName] = config =>
        {
            var described = DiffusersUNet.Parse(config);
            return new DiffusersNetwork(described.Build(), described.Keys);
        },
    };

    /// <exception cref="InvalidDataException">The class is not known, or a value of the configuration is not; the message names it.</exception>
    public static DiffusersNetwork Build(string config)
    {
        var className = ModelIndex.ClassNameOf(config);
        return s_builders.TryGetValue(className, out var build)
            ? build(config)
            : throw new InvalidDataException(
                $"The network class \"{className}\" is not known; this library builds {string.Join(", ", s_builders.Keys)}.");
    }
}
