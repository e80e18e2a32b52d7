using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Sets a layer's parameters to zero, so that the residual branch it ends starts as nothing.</summary>
internal static class ZeroInitialization
{
    public static void Apply(nn.Module layer)
    {
        using var noGradients = no_grad();
        foreach (var parameter in layer.parameters())
        {
            parameter.zero_();
        }
    }
}
