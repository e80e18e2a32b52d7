namespace Diffusion.Kernels;

/// <summary>An operation on tiles that is written once and compiled for every format and width of vectors.</summary>
/// <typeparam name="TSelf">The operation.</typeparam>
internal interface ITileKernel<TSelf>
    where TSelf : class, ITileKernel<TSelf>
{
    /// <summary>The operation in a format.</summary>
    static abstract TSelf Make<T, TVector>()
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>;
}
