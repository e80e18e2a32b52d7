using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>The parts of the eager networks: plain modules, with what correctness needs on the CPU.</summary>
internal static class EagerLayers
{
    public const int Groups = 8;

    private const int FewestOutputs = 16;

    /// <summary>A norm with weight 1 and bias 0, which TorchSharp's module leaves uninitialised.</summary>
    public static GroupNorm Norm(int channels, int groups = Groups, double eps = 1e-5)
    {
        var norm = nn.GroupNorm(groups, channels, eps);
        nn.init.ones_(norm.weight!);
        nn.init.zeros_(norm.bias!);
        return norm;
    }

    /// <summary>A norm of the features of each token, with weight 1 and bias 0.</summary>
    public static LayerNorm LayerNorm(int channels)
    {
        var norm = nn.LayerNorm(channels);
        nn.init.ones_(norm.weight!);
        nn.init.zeros_(norm.bias!);
        return norm;
    }

    /// <summary>Norm, SiLU, 3×3 convolution.</summary>
    public static Sequential NormConvolution(int inChannels, int outChannels) =>
        nn.Sequential(Norm(inChannels), nn.SiLU(), nn.Conv2d(inChannels, outChannels, 3L, padding: 1L));

    /// <summary>SiLU, linear.</summary>
    public static Sequential TimeLayer(int timeDimension, int channels) => nn.Sequential(nn.SiLU(), nn.Linear(timeDimension, channels));

    /// <summary>A 3×3 convolution with its outputs padded by zeros to 16: with fewer, the gradient of its input is wrong on the CPU.</summary>
    public static Tensor LastConvolution(Conv2d convolution, Tensor hidden)
    {
        var outputs = (int)convolution.weight!.shape[0];
        var missing = FewestOutputs - outputs;
        var weight = nn.functional.pad(convolution.weight!, [0, 0, 0, 0, 0, 0, 0, missing]);
        var bias = nn.functional.pad(convolution.bias!, [0, missing]);
        return nn.functional.conv2d(hidden, weight, bias, padding: [1, 1]).narrow(1, 0, outputs);
    }
}
