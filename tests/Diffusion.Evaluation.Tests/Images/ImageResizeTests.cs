using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests;

public sealed class ImageResizeTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    /// <summary>Images and sizes of the recorded case.</summary>
    public static TheoryData<int, int, int> Recorded { get; } = new()
    {
        { 0, 16, 12 }, { 0, 45, 64 }, { 0, 28, 28 }, { 1, 16, 12 }, { 1, 45, 64 }, { 1, 28, 28 },
    };

    /// <summary>Against clean-fid with Pillow, torch, and torch-fidelity (tests/golden/README.md).</summary>
    [Theory]
    [MemberData(nameof(Recorded))]
    public void To_OfRecordedImages_EqualsTheRecorded(int image, int height, int width)
    {
        using var golden = Golden.Case("metrics/resize_and_round");
        var planes = golden[$"image.{image}"].permute(2, 0, 1); // [H, W, C] → [C, H, W]
        var size = $"{image}.{height}x{width}";
        Close("clean", ImageResizing.PillowBicubic, 1e-4);
        Close("legacy", ImageResizing.TorchBilinear, golden.AbsoluteTolerance);
        Close("tf1", ImageResizing.TensorFlowBilinear, golden.AbsoluteTolerance);
        TensorAssert.Identical(golden[$"clean_u8.{size}"], ImageResize.To(planes, height, width, ImageResizing.PillowBicubicEightBit).permute(1, 2, 0), size);

        void Close(string name, ImageResizing method, double tolerance)
        {
            var resized = ImageResize.To(planes, height, width, method);
            Assert.Equal(ScalarType.Float32, resized.dtype);
            TensorAssert.Close(golden[$"{name}.{size}"], resized.permute(1, 2, 0), tolerance, 0, $"{name}.{size}");
            TensorAssert.Identical(resized, ImageResize.To(planes.to(ScalarType.Float32), height, width, method), "of floats");
        }
    }

    // What antialiasing is for: a pattern of single pixels becomes grey, not a pattern of its own.
    [Fact]
    public void To_OfAFinePattern_IsGreyOnlyWithAntialiasing()
    {
        var rows = tensor([.. Enumerable.Range(0, 64 * 64).Select(i => (i % 64 % 8) == 0 ? 255f : 0f)], [1, 1, 64, 64]);
        var smooth = ImageResize.To(rows, 8, 8, ImageResizing.PillowBicubic);
        var rough = ImageResize.To(rows, 8, 8, ImageResizing.TensorFlowBilinear);
        Assert.InRange(smooth.min().item<float>(), 15, 255f / 8);
        Assert.InRange(smooth.max().item<float>(), 255f / 8, 40);
        Assert.Equal(255, rough.mean().item<float>());
    }

    [Theory]
    [InlineData(ImageResizing.PillowBicubic)]
    [InlineData(ImageResizing.PillowBicubicEightBit)]
    [InlineData(ImageResizing.TorchBilinear)]
    [InlineData(ImageResizing.TensorFlowBilinear)]
    public void To_AnySize_KeepsShapesAndFlatImages(ImageResizing method)
    {
        foreach (var (rows, columns, height, width) in new[] { (1, 1, 3, 5), (5, 3, 1, 1), (2, 40, 7, 3), (9, 9, 9, 9), (1, 7, 100, 2) })
        {
            foreach (var leading in new long[][] { [], [1], [2, 5], [2, 3, 2] })
            {
                var images = full([.. leading, rows, columns], 77, dtype: ScalarType.Byte);
                var resized = ImageResize.To(images, height, width, method);
                Assert.Equal([.. leading, height, width], resized.shape);
                TensorAssert.Close(full(resized.shape, 77, dtype: ScalarType.Float32), resized, 1e-4, 0, $"{rows}x{columns} to {height}x{width}");
            }
        }
    }

    [Theory]
    [InlineData(ImageResizing.PillowBicubic)]
    [InlineData(ImageResizing.PillowBicubicEightBit)]
    [InlineData(ImageResizing.TorchBilinear)]
    [InlineData(ImageResizing.TensorFlowBilinear)]
    public void To_TheSameSize_ChangesNothing(ImageResizing method)
    {
        using var golden = Golden.Case("metrics/resize_and_round");
        var planes = golden["image.1"].permute(2, 0, 1);
        TensorAssert.Identical(planes, ImageResize.To(planes, 23, 41, method).to(ScalarType.Byte), "image");
    }

    [Fact]
    public void To_WithOneThreadOrMore_HasTheSameBits()
    {
        using var golden = Golden.Case("metrics/resize_and_round");
        var planes = golden["image.0"].permute(2, 0, 1);
        var before = get_num_threads();
        try
        {
            set_num_threads(1);
            var one = ImageResize.To(planes, 45, 64, ImageResizing.PillowBicubic);
            set_num_threads(3);
            TensorAssert.Identical(one, ImageResize.To(planes, 45, 64, ImageResizing.PillowBicubic), "image");
        }
        finally
        {
            set_num_threads(before);
        }
    }

    [Fact]
    public void To_OfBadImages_NamesWhatIsWrong()
    {
        var image = full([1, 4, 4], 9, dtype: ScalarType.Byte);
        Refused("have the shape [4]", image[0, 0]);
        Refused("have the shape [1, 0, 4]", image.narrow(1, 0, 0));
        Refused("are Int64", image.to(ScalarType.Int64));
        Refused("values from -1 to ", image.to(ScalarType.Float32) - 10.ToScalar());
        Refused("values from 300 to 300", full([4, 4], 300, dtype: ScalarType.Float32));
        Refused("NaN", full([4, 4], double.NaN, dtype: ScalarType.Float64));
        Assert.Contains("PillowBicubicEightBit needs uint8,", Assert.Throws<ArgumentException>(() => ImageResize.To(image.to(ScalarType.Float32), 2, 2, ImageResizing.PillowBicubicEightBit)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageResize.To(image, 0, 2, ImageResizing.PillowBicubic));
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageResize.To(image, 2, -1, ImageResizing.PillowBicubic));
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageResize.To(image, 2, 2, (ImageResizing)9));
        Assert.Contains("too large", Assert.Throws<ArgumentException>(() => ImageResize.To(image, 1 << 20, 1 << 20, ImageResizing.PillowBicubic)).Message, StringComparison.Ordinal);

        static void Refused(string message, Tensor images) =>
            Assert.Contains(message, Assert.Throws<ArgumentException>(() => ImageResize.To(images, 2, 2, ImageResizing.TorchBilinear)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _scope.Dispose();
}
