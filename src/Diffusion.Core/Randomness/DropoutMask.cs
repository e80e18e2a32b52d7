using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>What a call of dropout does to its values.</summary>
/// <param name="Kept">Which values are kept, [B, …] of booleans.</param>
/// <param name="Scale">What these are multiplied by: one over the part that is kept.</param>
internal readonly record struct DropoutMask(Tensor Kept, double Scale)
{
    /// <summary>Draws from <see cref="LayerSeeds"/>.</summary>
    /// <param name="shape">Of the values, [B, …].</param>
    /// <param name="rate">The part that is dropped, in [0, 1).</param>
    /// <param name="device">Where the values are.</param>
    public static DropoutMask Draw(long[] shape, double rate, Device device) => new(Dropout.Kept(LayerSeeds.Next(), shape, 1 - rate, device), 1 / (1 - rate));

    /// <summary>The values that are kept, scaled, and zeros; a byte a value is kept for the backward pass.</summary>
    public Tensor Apply(Tensor values)
    {
        using var scope = NewDisposeScope();
        using var scale = Scale.ToScalar();
        return (values * scale).masked_fill(Kept.logical_not(), Scalars.Zero).MoveToOuterDisposeScope();
    }
}
