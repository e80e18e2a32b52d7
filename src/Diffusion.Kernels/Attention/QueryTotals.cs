namespace Diffusion.Kernels;

/// <summary>Three numbers of each query.</summary>
internal unsafe struct QueryTotals
{
    /// <summary>The largest score, to base 2.</summary>
    public float* Maxima;

    /// <summary>One over the sum of the powers.</summary>
    public float* Shares;

    /// <summary>D, the inner product of the output and its gradient, which is Σ P ∘ dP over the keys.</summary>
    public float* Inner;

    /// <summary>Those from a query on.</summary>
    public static QueryTotals operator +(QueryTotals totals, int queries) =>
        new() { Maxima = totals.Maxima + queries, Shares = totals.Shares + queries, Inner = totals.Inner + queries };
}
