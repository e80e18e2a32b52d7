using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>The products of a linear map and of its gradients, as tensors without a graph: <see cref="LinearKernel{T, TVector}"/>. Tokens are float32 or bfloat16, weights float32.</summary>
internal abstract class LinearTokens : ITileKernel<LinearTokens>
{
    public static LinearTokens Make<T, TVector>()
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector> => new LinearTokens<T, TVector>();

    /// <summary>The form for tokens of a type.</summary>
    public static LinearTokens For(Tensor tokens) => TileKernel<LinearTokens>.For(tokens.dtype == ScalarType.BFloat16 && TileSupport.MultipliesNarrow);

    /// <summary>tokens · weightᵀ + bias.</summary>
    /// <param name="tokens">[…, C].</param>
    /// <param name="weight">[O, C].</param>
    /// <param name="bias">[O], or <see langword="null"/>.</param>
    /// <returns>[…, O], in the type of the tokens.</returns>
    public abstract Tensor Map(Tensor tokens, Tensor weight, Tensor? bias);

    /// <summary>direction · weight: the gradient of the tokens.</summary>
    /// <param name="direction">[…, O], contiguous.</param>
    /// <param name="weight">[O, C].</param>
    /// <returns>[…, C], in the type of the direction.</returns>
    public abstract Tensor ToInput(Tensor direction, Tensor weight);

    /// <summary>directionᵀ · tokens: the gradient of the weight.</summary>
    /// <param name="tokens">[…, C].</param>
    /// <param name="direction">[…, O], contiguous, in the type of the tokens.</param>
    /// <returns>[O, C], float32.</returns>
    public abstract Tensor ToWeight(Tensor tokens, Tensor direction);

    /// <summary>The sum of all directions: the gradient of the bias.</summary>
    /// <param name="direction">[…, O], contiguous.</param>
    /// <returns>[O], float32.</returns>
    public abstract Tensor ToBias(Tensor direction);
}
