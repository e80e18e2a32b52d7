namespace Diffusion.Kernels;

/// <summary>
/// A self-attention block on tiles: the norm happens while the projections read, the input is added while the last one writes. Each image goes all the way in one piece of work, so that what is between
/// stays in the nearer caches; few images go together, so that every thread has some of them. Images are float32 or bfloat16.
/// </summary>
internal abstract unsafe class ImageAttention : ITileKernel<ImageAttention>
{
    /// <summary>Whether tokens are bfloat16, or else floats.</summary>
    public abstract bool IsNarrow { get; }

    public static ImageAttention Make<T, TVector>()
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector> => new ImageAttention<T, TVector>();

    /// <summary>The block.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="attended">[B, H·W, inner], bfloat16 or float32 as tokens are; written, unless it is null.</param>
    /// <param name="totals">[B, heads, 2, H·W]; written, unless it is null.</param>
    /// <param name="output">[B, C, H, W]; written.</param>
    public abstract void Forward(in SelfAttentionParameters layers, WinogradImages images, uint* attended, float* totals, WinogradImages output);

    /// <summary>The gradients of ⟨output, direction⟩.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="attended">Of <see cref="Forward"/>.</param>
    /// <param name="totals">Of <see cref="Forward"/>.</param>
    /// <param name="direction">[B, C, H, W].</param>
    /// <param name="gradient">Of the images; written.</param>
    /// <param name="ofParameters">Of weight and bias of the norm, if there is one, of each projection and of the last map, float32; written.</param>
    public abstract void Backward(in SelfAttentionParameters layers, WinogradImages images, uint* attended, float* totals, WinogradImages direction, WinogradImages gradient, ReadOnlySpan<nint> ofParameters);
}
