using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Images as files hold them.</summary>
public static class EightBitImages
{
    /// <summary>[−1, 1] floats as uint8: clipped, and rounded to nearest (halves to even).</summary>
    public static Tensor From(Tensor images) => throw new NotSupportedException();

    /// <summary>uint8 as float32 in [−1, 1].</summary>
    public static Tensor ToFloat(Tensor images) => throw new NotSupportedException();
}
