using TorchSharp;
using Diffusion.Kernels;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>Blocks that run as one where nothing is differentiated, against the same blocks with gradients and in float64.</summary>
public sealed class ForwardOnlyTests : IDisposable
{
    private const long MostOfStep = 16 << 10; // whether the runtime has optimised the code or not

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(5, CPU);

    /// <summary>In and out channels, height, width, whether the time scales: odd sizes, one row of tiles, images that share a band.</summary>
    public static TheoryData<int, int, int, int, bool> Residuals { get; } = new()
    {
        { 32, 32, 28, 28, false }, { 64, 32, 14, 14, false }, { 32, 64, 7, 7, true }, { 64, 64, 9, 5, true }, { 96, 32, 13, 30, false }, { 32, 32, 2, 2, false },
        { 16, 16, 28, 28, false }, { 64, 16, 9, 5, true }, { 16, 48, 7, 7, false },
    };

    [Theory]
    [MemberData(nameof(Residuals))]
    public void ResidualBlock_NoGradients_AgreesWithFloat64(int inChannels, int outChannels, int height, int width, bool scales)
    {
        var options = Options(scales);
        var block = new ResidualBlock(inChannels, outChannels, options, _generator);
        Scatter(block);
        foreach (var times in (int[])[1, 3])
        {
            Check(block, (module, inputs) => module.call(inputs[0], inputs[1]), [Draw(3, inChannels, height, width), Draw(times, options.TimeDimension)]);
        }
    }

    [Theory]
    [InlineData(32, 4, 28, 28, false)]
    [InlineData(64, 1, 7, 7, true)]
    [InlineData(128, 2, 9, 1, false)]
    [InlineData(32, 2, 5, 30, true)]
    [InlineData(96, 1, 12, 12, false)]
    [InlineData(16, 4, 9, 5, false)]
    [InlineData(48, 3, 8, 8, true)]
    [InlineData(32, 1, 40, 40, false)] // more pixels than go through at once
    public void SelfAttention_NoGradients_AgreesWithFloat64(int channels, int heads, int height, int width, bool separate)
    {
        var dialect = new UNetDialect { Attention = new() { Projection = separate ? AttentionProjection.Separate : AttentionProjection.Joint } };
        var block = new SelfAttention(channels, heads, Options(scales: false) with { Dialect = dialect }, _generator);
        Scatter(block);
        Check(block, (module, inputs) => module.call(inputs[0]), [Draw(3, channels, height, width)]);
    }

    [Fact]
    public void ReverseStep_NetworkOfTheCourse_MakesFewObjects()
    {
        Assert.SkipUnless(TileSupport.Runs, $"At level {Processor.Level} there are no tiles: blocks run operation by operation.");

        var network = UNetBuilder.From(UNetPresets.Course(new ImageShape(1, 28, 28))).Build();
        network.eval(); // otherwise each step that is not of a run walks through all modules twice
        var denoiser = new NetworkDenoiser(network, new LinearNoiseSchedule());
        _ = BytesOfStep(denoiser); // makes what later steps share

        Assert.InRange(BytesOfStep(denoiser), 1, MostOfStep);
    }

    [Fact]
    public void ResidualBlock_NotANumberInOneImage_ReachesThatImageOnly()
    {
        var block = new ResidualBlock(32, 32, Options(scales: false), _generator);
        Scatter(block);
        var images = Draw(2, 32, 7, 7).to(ScalarType.Float32);
        images[0, 3, 2, 2] = float.NaN;
        using var gradients = no_grad();

        var output = block.call(images, Draw(1, 128).to(ScalarType.Float32));

        Assert.True(output[0].isnan().any().item<bool>());
        Assert.False(output[1].isnan().any().item<bool>());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public void Predict_CourseNetwork_AgreesWithGradientsOn(int batch)
    {
        var network = UNetBuilder.From(UNetPresets.Course(new ImageShape(1, 28, 28))).Build(seed: 4);
        var (images, timesteps) = (Draw(batch, 1, 28, 28).to(ScalarType.Float32), tensor(new[] { 300L }));
        var plain = network.call(images, timesteps).detach();
        using var gradients = no_grad();

        var output = network.call(images, timesteps);
        var again = network.call(images, timesteps);

        Assert.True(Error(output, plain) < 2e-6, $"{Error(output, plain)}");
        Assert.True(output.equal(again).all().item<bool>());
    }

    [Fact]
    public void ResidualBlock_OtherNumberOfThreads_GivesTheSameBits()
    {
        var threads = get_num_threads();
        var block = new ResidualBlock(64, 32, Options(scales: false), _generator);
        Scatter(block);
        var (images, time) = (Draw(5, 64, 14, 14).to(ScalarType.Float32), Draw(1, 128).to(ScalarType.Float32));
        using var gradients = no_grad();
        try
        {
            set_num_threads(1);
            var one = block.call(images, time);
            set_num_threads(3);
            for (var i = 0; i < 20; i++)
            {
                Assert.True(one.equal(block.call(images, time)).all().item<bool>());
            }
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    [Fact]
    public void ResidualBlock_Dropout_IsDrawnWhereTheBlockTrains()
    {
        var options = Options(scales: false);
        var block = new ResidualBlock(32, 32, options with { Dialect = new UNetDialect { Residual = new() { Dropout = 0.5 } } }, _generator);
        Scatter(block);
        var (images, time) = (Draw(1, 32, 7, 7).to(ScalarType.Float32), Draw(1, 128).to(ScalarType.Float32));
        using var gradients = no_grad();

        var dropped = Error(block.call(images, time), block.call(images, time));
        block.eval();

        Assert.True(dropped > 0.01, $"{dropped}");
        Assert.True(block.call(images, time).equal(block.call(images, time)).all().item<bool>());
    }

    public void Dispose()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    private static UNetOptions Options(bool scales) => UNetPresets.Course(new ImageShape(1, 28, 28)) with
    {
        Dialect = new UNetDialect { Residual = new() { TimeInjection = scales ? TimeInjection.ScaleShift : TimeInjection.Add } },
    };

    /// <summary>What a step of a run makes on this thread, the first aside.</summary>
    private static long BytesOfStep(IDenoiser denoiser)
    {
        const int Steps = 20;
        using var steps = new DdpmSampler(1000).Steps(denoiser, [1, 1, 28, 28], seed: 1).GetEnumerator();
        Assert.True(steps.MoveNext());
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Steps; i++)
        {
            Assert.True(steps.MoveNext());
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before) / Steps;
    }

    /// <summary>In float32 and bfloat16, on memory that held other values.</summary>
    private static void Check<T>(T module, Func<T, Tensor[], Tensor> run, Tensor[] inputs)
        where T : nn.Module
    {
        using var gradients = no_grad();
        var single = Array.ConvertAll(inputs, input => input.to(ScalarType.Float32));
        Diffusion.MemoryPoison.Spread();
        var output = run(module, single);
        Tensor narrow;
        using (MixedPrecision.Use(ComputePrecision.BFloat16))
        {
            narrow = run(module, [single[0].to(ScalarType.BFloat16), .. single[1..]]);
        }

        module.to(ScalarType.Float64);
        var exact = run(module, Array.ConvertAll(single, input => input.to(ScalarType.Float64)));
        module.to(ScalarType.Float32);
        Assert.True(Error(output, exact) < 1e-6, $"{Error(output, exact)}");
        Assert.Equal(Processor.UsesBFloat16 ? ScalarType.BFloat16 : ScalarType.Float32, narrow.dtype);
        Assert.True(Error(narrow, exact) < 1e-2, $"{Error(narrow, exact)}");
    }

    private static double Error(Tensor output, Tensor exact) => ((output.to(ScalarType.Float64) - exact.to(ScalarType.Float64)).norm() / exact.to(ScalarType.Float64).norm()).item<double>();

    /// <summary>Norms with weights and biases that make a difference, and nothing that starts at zero.</summary>
    private void Scatter(nn.Module module)
    {
        using var gradients = no_grad();
        foreach (var parameter in module.parameters().Where(parameter => parameter.dim() == 1 || parameter.abs().sum().item<float>() == 0))
        {
            parameter.add_(randn(parameter.shape, generator: _generator).mul_(0.3));
        }
    }

    private Tensor Draw(params long[] shape) => randn(shape, ScalarType.Float64, generator: _generator);
}
