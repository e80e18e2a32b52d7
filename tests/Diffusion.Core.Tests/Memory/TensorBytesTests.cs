using static TorchSharp.torch;

namespace Diffusion;

public class TensorBytesTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(12)]
    [InlineData(4096)]
    public void WriteAndRead_InPiecesOfAnySize_GiveTheTensor(int pieceBytes)
    {
        using var scope = NewDisposeScope();
        var tensor = arange(77, ScalarType.Float32).reshape(7, 11);
        using var stream = new MemoryStream();

        TensorBytes.Write(stream, tensor.t(), pieceBytes);
        stream.Position = 0;
        var read = zeros(11, 7);
        TensorBytes.Read(stream, read, pieceBytes);

        Assert.Equal(77 * 4, stream.Length);
        TensorAssert.Identical(tensor.t(), read, "pieces");
    }

    [Fact]
    public void Read_StreamThatEndsEarly_Throws()
    {
        using var tensor = zeros(3);
        using var stream = new MemoryStream(new byte[11]);
        Assert.Throws<EndOfStreamException>(() => TensorBytes.Read(stream, tensor));
    }

    [Fact]
    public void Read_IntoAStridedTensor_IsRefused()
    {
        using var scope = NewDisposeScope();
        using var stream = new MemoryStream(new byte[24]);
        Assert.Throws<ArgumentException>(() => TensorBytes.Read(stream, zeros(2, 3).t()));
    }
}
