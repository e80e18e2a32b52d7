namespace Diffusion.Kernels;

/// <summary>softmax(q·kᵀ/√d)·v and its gradients.</summary>
internal unsafe interface IAttentionKernel
{
    /// <summary>The output, and of each query the largest score, to base 2, and one over the sum of its powers.</summary>
    /// <param name="images">B.</param>
    /// <param name="query">[B, N, …].</param>
    /// <param name="key">[B, L, …].</param>
    /// <param name="value">[B, L, …].</param>
    /// <param name="output">[B, N, …]; written.</param>
    /// <param name="totals">[B, heads, 2, N]; written.</param>
    void Forward(int images, HeadView query, HeadView key, HeadView value, HeadView output, float* totals);

    /// <summary>The gradients of ⟨output, direction⟩.</summary>
    /// <param name="images">B.</param>
    /// <param name="query">[B, N, …].</param>
    /// <param name="key">[B, L, …].</param>
    /// <param name="value">[B, L, …].</param>
    /// <param name="output">[B, N, …].</param>
    /// <param name="totals">[B, heads, 2, N], from the forward pass.</param>
    /// <param name="direction">[B, N, …].</param>
    /// <param name="gradients">Of query, key and value; written.</param>
    void Backward(int images, HeadView query, HeadView key, HeadView value, HeadView output, float* totals, HeadView direction, (HeadView Query, HeadView Key, HeadView Value) gradients);
}
