using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The tests' own instruments: a comparison that cannot fail would prove nothing.</summary>
public class TensorAssertTests
{
    [Fact]
    public void Close_WithinTolerance_Passes()
    {
        using var scope = NewDisposeScope();
        TensorAssert.Close(tensor(new[] { 1.0, 100, double.NaN, double.PositiveInfinity }), tensor(new[] { 1.009, 100.9, double.NaN, double.PositiveInfinity }), 1e-9, 1e-2, "x");
        TensorAssert.Close(zeros(0, 3), zeros(0, 3), 0, 0, "empty");
        TensorAssert.Close(tensor(1), tensor(1f), 0, 0, "types may differ");
    }

    [Fact]
    public void Close_OneElementOff_SaysHowFarAndWhere()
    {
        using var scope = NewDisposeScope();
        var actual = zeros(2, 3, 4);
        actual[1, 0, 3] = 0.5f;
        var exception = Assert.Throws<TensorMismatchException>(() => TensorAssert.Close(zeros(2, 3, 4), actual, 0.1, 0, "gradient"));
        Assert.StartsWith("gradient: 1 of 24", exception.Message, StringComparison.Ordinal);
        Assert.Contains("Max abs error 0.5", exception.Message, StringComparison.Ordinal);
        Assert.Contains("at [1, 0, 3]: expected 0, actual 0.5", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, double.NaN)]
    [InlineData(double.NaN, 1)]
    [InlineData(double.PositiveInfinity, 1)]
    [InlineData(double.PositiveInfinity, double.NegativeInfinity)]
    [InlineData(1, double.PositiveInfinity)]
    public void Close_NotFiniteOnOneSide_Fails(double expected, double actual)
    {
        using var scope = NewDisposeScope();
        Assert.Throws<TensorMismatchException>(() => TensorAssert.Close(tensor(expected), tensor(actual), 1e9, 1, "x"));
    }

    [Fact]
    public void Close_ShapesThatWouldBroadcast_Fails()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<TensorMismatchException>(() => TensorAssert.Close(zeros(3), zeros(1), 1, 1, "x"));
    }

    [Fact]
    public void Identical_OtherBitsTypesOrNames_Fails()
    {
        using var scope = NewDisposeScope();
        TensorAssert.Identical(tensor(float.NaN), tensor(float.NaN), "NaN");
        Assert.Throws<TensorMismatchException>(() => TensorAssert.Identical(tensor(0f), tensor(-0f), "sign"));
        Assert.Throws<TensorMismatchException>(() => TensorAssert.Identical(tensor(0f), tensor(0), "type"));
        Assert.Throws<TensorMismatchException>(() => TensorAssert.Identical(new Dictionary<string, Tensor> { ["a"] = tensor(0) }, new Dictionary<string, Tensor>()));
    }
}
