using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>A network built from another project's description, against what that project recorded.</summary>
internal static class PeerNetwork
{
    /// <summary>Fails unless the output is within 1e-5 of the largest recorded value.</summary>
    public static void CheckOutput(GoldenCase golden, string output, UNet unet, Tensor timesteps, Tensor? labels)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        unet.eval();
        Diffusion.MemoryPoison.Spread();
        TensorAssert.Close(golden[output], unet.Predict(golden["x"], timesteps, labels), 1e-5 * Largest(golden[output]), 0, output);
    }

    /// <summary>Fails unless every recorded gradient is within 1e-4 of its largest value.</summary>
    public static void CheckGradients(GoldenCase golden, UNet unet, Tensor? labels, Func<string, string?> toTheirs)
    {
        using var scope = NewDisposeScope();
        unet.eval();
        Diffusion.MemoryPoison.Spread();
        nn.functional.mse_loss(unet.Predict(golden["x"], golden["t"], labels), golden["target"]).backward();
        var gradients = unet.named_parameters().ToDictionary(entry => toTheirs(entry.name)!, entry => entry.parameter.grad!);
        var recorded = golden.WithPrefix("grad.");
        Assert.NotEmpty(recorded);
        // Where a group of a norm is one channel, what is added to a whole channel before it does nothing: such gradients are rounding alone.
        var rounding = 1e-7 * recorded.Values.Max(gradient => Largest(gradient));
        foreach (var (key, expected) in recorded)
        {
            TensorAssert.Close(expected, gradients[key].reshape(expected.shape), (1e-4 * Largest(expected)) + rounding, 0, "gradient of " + key);
        }

        if (golden.Tensors.ContainsKey("grad_sq_norm_total"))
        {
            var total = gradients.Values.Sum(gradient => gradient.to(ScalarType.Float64).square().sum().item<double>());
            Assert.Equal(golden["grad_sq_norm_total"].item<float>(), total, 1e-4 * total);
        }
    }

    private static double Largest(Tensor tensor) => tensor.abs().max().to(ScalarType.Float64).item<double>();
}
