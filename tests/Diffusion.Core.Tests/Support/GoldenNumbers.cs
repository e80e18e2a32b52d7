using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Recorded tensors and plain numbers.</summary>
internal static class GoldenNumbers
{
    /// <summary>The recorded numbers, in double precision.</summary>
    public static double[] Numbers(this GoldenCase golden, string name)
    {
        using var doubles = golden[name].to(ScalarType.Float64);
        return doubles.data<double>().ToArray();
    }

    /// <summary>The numbers of a tensor, in double precision.</summary>
    public static double[] Numbers(this Tensor tensor)
    {
        using var doubles = tensor.detach().cpu().to(ScalarType.Float64).contiguous();
        return doubles.data<double>().ToArray();
    }

    /// <summary>Fails unless the numbers are as near to the recorded as the recorder suggests, or as given.</summary>
    public static void Close(this GoldenCase golden, string name, IEnumerable<double> actual, double? atol = null, double? rtol = null)
    {
        using var numbers = tensor([.. actual], ScalarType.Float64).reshape(golden[name].shape);
        TensorAssert.Close(golden[name], numbers, atol ?? golden.AbsoluteTolerance, rtol ?? golden.RelativeTolerance, $"{golden.Name}: {name}");
    }

    /// <summary>Fails unless the tensor is as near to the recorded as the recorder suggests.</summary>
    public static void Close(this GoldenCase golden, string name, Tensor actual) =>
        TensorAssert.Close(golden[name], actual, golden.AbsoluteTolerance, golden.RelativeTolerance, $"{golden.Name}: {name}");
}
