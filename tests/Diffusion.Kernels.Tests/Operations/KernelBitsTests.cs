using System.Security.Cryptography;
using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

/// <summary>
/// The bits of what kernels compute, of numbers that every system draws alike: the same at a level of the processor on Linux and on Windows. Each test writes a line that begins with "bits", which
/// <c>eng/windows.sh</c> compares (option <c>-showLiveOutput</c>).
/// </summary>
public sealed class KernelBitsTests
{
    private const int Seed = 41;
    private const int Images = 5; // enough for every kernel

    public static TheoryDataRow[] Tiles { get; } = Levels.Rows(Levels.WithTiles, FunctionalCases.All.Where(x => x.OnTiles).Select(x => x.Name));

    [Theory]
    [MemberData(nameof(Tiles))]
    public void Operation_Twice_HasTheSameBits(string name, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var operation = FunctionalCases.Of(name);

        var bits = Bits(operation);

        TestContext.Current.TestOutputHelper!.WriteLine($"bits {level.ToSetting()} {bits} {name}");
        Assert.Equal(bits, Bits(operation));
    }

    private static string Bits(FunctionalCase operation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var random = new Random(Seed);
        foreach (var precision in Enum.GetValues<ComputePrecision>())
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator(Seed, CPU);
            using var chosen = MixedPrecision.Use(precision);
            var type = precision == ComputePrecision.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float32;
            Tensor[] sources =
            [
                .. operation.Inputs(Images, 8, 16).Select(shape => Draw(random, shape).to(type).requires_grad_()),
                .. operation.Layers(new Parameters(generator), Images).Select(layer => (0.2f * Draw(random, layer.shape)).requires_grad_()),
            ];

            var output = operation.Run(sources);
            var gradients = Gradients.Of(output, sources, Draw(random, output.shape).to(output.dtype));
            using var noGradients = no_grad();
            Tensor[] larger = [.. operation.Inputs(Images, 13, 16).Select(shape => Draw(random, shape).to(type)), .. sources.Skip(operation.Inputs(Images, 8, 16).Length).Select(layer => layer.detach())];
            foreach (var tensor in (Tensor[])[output.detach(), .. gradients, operation.Run(larger)])
            {
                hash.AppendData(tensor.contiguous().bytes);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static Tensor Draw(Random random, long[] shape)
    {
        var values = new float[shape.Aggregate(1L, (count, size) => count * size)];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (random.NextSingle() * 2) - 1;
        }

        return tensor(values).reshape(shape);
    }
}
