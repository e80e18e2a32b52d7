namespace Diffusion.Kernels;

/// <summary>What an <see cref="AttentionKernel{T, TVector}"/> is computed in.</summary>
internal abstract class AttentionForm : ITileKernel<AttentionForm>
{
    public static AttentionForm Make<T, TVector>()
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector> => new Of<T, TVector>();

    /// <summary>The kernel for so many heads of a width.</summary>
    public abstract IAttentionKernel Create(int heads, int width);

    private sealed class Of<T, TVector> : AttentionForm
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        public override IAttentionKernel Create(int heads, int width) => new AttentionKernel<T, TVector>(heads, width);
    }
}
