using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Numbers that stay alive. A number that TorchSharp 0.107 turns into a <see cref="Scalar"/> on the way into an operation belongs to nobody once the native call has begun: a garbage collection
/// meanwhile frees it while it is read, and the operation fails or computes with something else. Constants are kept here; others belong to a variable of the method, with <c>using</c>.
/// The operations that make such a number are banned (<c>eng/BannedSymbols.Numbers.txt</c>); a sum of two tensors is one of them, as its second summand has the factor 1.
/// </summary>
internal static class Scalars
{
    /// <summary>0.</summary>
    public static Scalar Zero { get; } = 0.ToScalar();

    /// <summary>1.</summary>
    public static Scalar One { get; } = 1.ToScalar();

    /// <summary>−1.</summary>
    public static Scalar MinusOne { get; } = (-1).ToScalar();

    /// <summary>2.</summary>
    public static Scalar Two { get; } = 2.ToScalar();

    /// <summary>0.5.</summary>
    public static Scalar Half { get; } = 0.5.ToScalar();

    /// <summary>The sum, in place of the operator.</summary>
    public static Tensor Plus(this Tensor values, Tensor others) => values.add(others, One);

    /// <summary>The sum with a number that the caller keeps, in place of the operator.</summary>
    public static Tensor Plus(this Tensor values, Scalar number) => values.add(number, One);
}
