using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>The parts of the eager network: plain modules, with what correctness needs on the CPU.</summary>
internal static class EagerLayers
{
    public const int Groups = 8;

    /// <summary>A norm with weight 1 and bias 0, which TorchSharp's module leaves uninitialised.</summary>
    public static GroupNorm Norm(int channels)
    {
        var norm = nn.GroupNorm(Groups, channels);
        nn.init.ones_(norm.weight!);
        nn.init.zeros_(norm.bias!);
        return norm;
    }

    /// <summary>Norm, SiLU, 3×3 convolution.</summary>
    public static Sequential NormConvolution(int inChannels, int outChannels) =>
        nn.Sequential(Norm(inChannels), nn.SiLU(), nn.Conv2d(inChannels, outChannels, 3L, padding: 1L));

    /// <summary>SiLU, linear.</summary>
    public static Sequential TimeLayer(int timeDimension, int channels) => nn.Sequential(nn.SiLU(), nn.Linear(timeDimension, channels));
}
