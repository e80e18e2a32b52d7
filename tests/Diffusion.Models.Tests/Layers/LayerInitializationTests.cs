using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>Initial values, each time in memory that held NaN.</summary>
public sealed class LayerInitializationTests
{
    private const int Seed = 17;

    // Name, fan-in, how it is made. The fan-in of a transposed convolution is that of PyTorch: the weight's second dimension times k².
    private static readonly Dictionary<string, (int FanIn, Func<Generator, nn.Module<Tensor, Tensor>> Make)> s_layers = new()
    {
        ["Conv2d"] = (40 * 9, generator => new Conv2d(40, 50, 3, padding: 1, generator: generator)),
        ["ConvTranspose2d"] = (50 * 16, generator => new ConvTranspose2d(40, 50, 4, stride: 2, padding: 1, generator: generator)),
        ["Linear"] = (200, generator => new Linear(200, 150, generator: generator)),
    };

    public static TheoryData<string> Names => [.. s_layers.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Constructor_PoisonedMemory_DrawsPyTorchsDefault(string name)
    {
        var bound = 1 / Math.Sqrt(s_layers[name].FanIn);
        using var layer = Make(name, Seed);

        foreach (var (parameter, values) in layer.named_parameters())
        {
            using var scope = NewDisposeScope();
            using var gradients = no_grad();
            var exact = values.to(ScalarType.Float64);
            var count = (double)exact.numel();
            var (mean, variance) = (exact.mean().item<double>(), exact.var().item<double>());
            var largest = exact.abs().max().item<double>();

            Assert.True(largest <= bound * (1 + 1e-6), $"{parameter}: {largest} is above {bound}");
            Assert.True(largest >= bound * (1 - (10 / count)), $"{parameter}: {largest} is far below {bound}");
            // U(−b, b): mean 0 with standard error b/√(3n), variance b²/3 with standard error (b²/3)·√(4/5)/√n. Five of each.
            Assert.InRange(mean, -5 * bound / Math.Sqrt(3 * count), 5 * bound / Math.Sqrt(3 * count));
            Assert.InRange(variance / (bound * bound / 3), 1 - (5 * Math.Sqrt(0.8 / count)), 1 + (5 * Math.Sqrt(0.8 / count)));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Constructor_SameSeed_SameBits(string name)
    {
        using var first = Make(name, Seed);
        using var second = Make(name, Seed);
        using var other = Make(name, Seed + 1);

        Assert.Equal(Values(first), Values(second));
        Assert.NotEqual(Values(first), Values(other));
    }

    [Fact]
    public void GroupNorm_PoisonedMemory_StartsAsOneAndZero()
    {
        Kernels.MemoryPoison.Fill(48 * sizeof(float));

        using var layer = new GroupNorm(8, 48);

        Assert.All(layer.Weight.data<float>().ToArray(), value => Assert.Equal(1f, value));
        Assert.All(layer.Bias.data<float>().ToArray(), value => Assert.Equal(0f, value));
    }

    [Fact]
    public void StateDict_EveryLayer_HasPyTorchsNamesAndShapes()
    {
        Assert.Equal(["weight [50, 40, 3, 3]", "bias [50]"], State(new Conv2d(40, 50, 3)));
        Assert.Equal(["weight [1, 3, 1, 1]"], State(new Conv2d(3, 1, 1, bias: false)));
        Assert.Equal(["weight [40, 50, 4, 4]", "bias [50]"], State(new ConvTranspose2d(40, 50, 4, stride: 2, padding: 1)));
        Assert.Equal(["weight [20, 3, 2, 2]"], State(new ConvTranspose2d(20, 3, 2, bias: false)));
        Assert.Equal(["weight [150, 200]", "bias [150]"], State(new Linear(200, 150)));
        Assert.Equal(["weight [150, 200]"], State(new Linear(200, 150, bias: false)));
        Assert.Equal(["weight [48]", "bias [48]"], State(new GroupNorm(8, 48)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Constructor_InsideADisposeScope_ParametersOutliveIt(string name)
    {
        nn.Module<Tensor, Tensor> layer;
        using (NewDisposeScope())
        {
            layer = Make(name, Seed);
        }

        Assert.DoesNotContain(layer.parameters(), parameter => parameter.IsInvalid);
        Assert.All(layer.parameters(), parameter => Assert.True(parameter.requires_grad));
        layer.Dispose();
    }

    private static nn.Module<Tensor, Tensor> Make(string name, ulong seed)
    {
        using var generator = new Generator(seed, CPU);
        Kernels.MemoryPoison.Fill(40 * 50 * 16 * sizeof(float), 40 * 50 * 9 * sizeof(float), 200 * 150 * sizeof(float), 150 * sizeof(float), 50 * sizeof(float));
        return s_layers[name].Make(generator);
    }

    private static float[] Values(nn.Module layer) => [.. layer.parameters().SelectMany(parameter => parameter.data<float>().ToArray())];

    private static string[] State(nn.Module layer)
    {
        using (layer)
        {
            return [.. layer.state_dict().Select(entry => $"{entry.Key} [{string.Join(", ", entry.Value.shape)}]")];
        }
    }
}
