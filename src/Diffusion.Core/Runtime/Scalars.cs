using TorchSharp;

namespace Diffusion;

/// <summary>
/// Numbers that stay alive. A number that TorchSharp 0.107 turns into a <see cref="Scalar"/> on the way into an operation belongs to nobody once the native call has begun: a garbage collection
/// meanwhile frees it while it is read, and the operation fails or computes with something else. Constants are kept here; others belong to a variable of the method, with <c>using</c>.
/// </summary>
internal static class Scalars
{
    /// <summary>1.</summary>
    public static Scalar One { get; } = 1;

    /// <summary>−1.</summary>
    public static Scalar MinusOne { get; } = -1;
}
