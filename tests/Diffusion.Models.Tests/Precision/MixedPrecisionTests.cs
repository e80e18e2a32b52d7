using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>
/// Networks in bfloat16 against the same ones in float32. A value in bfloat16 has a relative error of up to 2^−9 = 2e-3; some 50 layers in a
/// row, whose errors add up as random ones do, make √50 · 2e-3 / √3 = 8e-3 of it; the tolerance of the output is over twice that. A gradient has
/// come through the layers back as well, and each multiplies it with an activation that is itself off: twice as much.
/// </summary>
public sealed class MixedPrecisionTests
{
    private const double OutputTolerance = 2e-2;
    private const double GradientTolerance = 4e-2;

    /// <summary>Not 0: it would have run in float32. Where the processor cannot use bfloat16 it does.</summary>
    private static readonly double s_smallest = Processor.UsesBFloat16 ? 1e-5 : 0;

    [Theory]
    [MemberData(nameof(Networks.Names), MemberType = typeof(Networks))]
    public void Forward_BFloat16_IsFloat32WithinRounding(string name)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var network = Networks.Of(name);
        var exact = network.Run();
        Diffusion.MemoryPoison.Spread();

        var narrow = Narrow(network.Run);

        Assert.Equal(ScalarType.Float32, narrow.dtype);
        Assert.InRange(Difference(exact, narrow), s_smallest, Processor.UsesBFloat16 ? OutputTolerance : 0);
    }

    [Theory]
    [MemberData(nameof(Networks.Names), MemberType = typeof(Networks))]
    public void Backward_BFloat16_GivesTheGradientsOfFloat32(string name)
    {
        using var scope = NewDisposeScope();
        using var network = Networks.Of(name);
        var exact = Gradients(network, network.Run);
        Diffusion.MemoryPoison.Spread();

        var narrow = Gradients(network, () => Narrow(network.Run));

        Assert.All(network.Module.parameters(), parameter => Assert.Equal(ScalarType.Float32, parameter.grad!.dtype));
        Assert.InRange(Difference(exact, narrow), s_smallest, Processor.UsesBFloat16 ? GradientTolerance : 1e-5);
    }

    [Theory]
    [InlineData("course")]
    [InlineData("context")]
    public void Backward_CheckpointedBFloat16_GivesTheSameGradients(string name)
    {
        using var scope = NewDisposeScope();
        using var plain = Networks.Of(name);
        using var recomputed = Networks.Of(name, checkpointed: true);

        var expected = Gradients(plain, () => Narrow(plain.Run));
        var actual = Gradients(recomputed, () => Narrow(recomputed.Run));

        // Gradients of what enters several parts are added in another order, in bfloat16.
        Assert.InRange(Difference(expected, actual), 0, 1e-2);
    }

    [Fact]
    public void Use_Nested_GoesBackToTheOneBefore()
    {
        Assert.Equal(ComputePrecision.Float32, MixedPrecision.Current);
        using (MixedPrecision.Use(ComputePrecision.BFloat16))
        {
            using (MixedPrecision.Use(ComputePrecision.Float32))
            {
                Assert.Equal(ComputePrecision.Float32, MixedPrecision.Current);
            }

            Assert.Equal(ComputePrecision.BFloat16, MixedPrecision.Current);
            var elsewhere = ComputePrecision.BFloat16;
            var thread = new Thread(() => elsewhere = MixedPrecision.Current);
            thread.Start();
            thread.Join();
            Assert.Equal(ComputePrecision.Float32, elsewhere);
        }

        Assert.Equal(ComputePrecision.Float32, MixedPrecision.Current);
        Assert.Throws<ArgumentOutOfRangeException>("precision", () => MixedPrecision.Use((ComputePrecision)7).Dispose());
        Assert.Equal(ComputePrecision.Float32, MixedPrecision.Current);
    }

    [Fact]
    public void Forward_Float64Layer_StaysInFloat64()
    {
        using var scope = NewDisposeScope();
        using var precision = MixedPrecision.Use(ComputePrecision.BFloat16);
        using var layer = new Conv2d(3, 20, 3);
        layer.to(ScalarType.Float64);

        Assert.Equal(ScalarType.Float64, layer.call(zeros(1, 3, 8, 8, dtype: ScalarType.Float64)).dtype);
    }

    [Fact]
    public void Softmax_BFloat16_IsTheRoundedOneOfFloat32()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        var scores = (randn([64, 784], generator: generator) * 4).to(ScalarType.BFloat16);

        var weights = nn.functional.softmax(scores, -1);

        TensorAssert.Close(nn.functional.softmax(scores.to(ScalarType.Float32), -1), weights, 1e-30, 1.01 / 256, "weights");
    }

    [Fact]
    public void Backward_ManyBFloat16Steps_LeavesNoTensors()
    {
        using var network = Networks.Of("context", checkpointed: true);
        Step();
        Step();
        var before = LiveTensors.Settled();
        for (var i = 0; i < 5; i++)
        {
            Step();
        }

        Assert.Equal(before, LiveTensors.Settled());

        void Step()
        {
            using var scope = NewDisposeScope();
            Narrow(network.Run).square().mean().backward();
        }
    }

    private static Tensor Narrow(Func<Tensor> run)
    {
        using var precision = MixedPrecision.Use(ComputePrecision.BFloat16);
        return run();
    }

    /// <summary>All gradients in one vector.</summary>
    private static Tensor Gradients(Networks network, Func<Tensor> run)
    {
        network.Module.zero_grad();
        run().square().mean().backward();
        return cat([.. network.Module.parameters().Select(parameter => parameter.grad!.flatten())]).clone();
    }

    /// <summary>‖a − b‖/‖a‖.</summary>
    private static double Difference(Tensor expected, Tensor actual)
    {
        using var noGradients = no_grad();
        return ((actual - expected).norm() / expected.norm()).to(ScalarType.Float64).item<double>();
    }
}
