namespace Diffusion.Models;

/// <summary>The parameters and multiply-adds of layers.</summary>
/// <param name="Parameters">Parameters, as <see cref="UNet.ParameterCount"/> has them.</param>
/// <param name="MultiplyAdds">For one image.</param>
internal readonly record struct LayerCost(long Parameters, long MultiplyAdds)
{
    public static LayerCost operator +(LayerCost left, LayerCost right) => new(left.Parameters + right.Parameters, left.MultiplyAdds + right.MultiplyAdds);

    /// <summary>A convolution with bias; <paramref name="pixels"/> are those where its kernel is applied.</summary>
    public static LayerCost Convolution(long inChannels, long outChannels, long kernel, long pixels)
    {
        var weights = inChannels * outChannels * kernel * kernel;
        return new(weights + outChannels, weights * pixels);
    }

    /// <summary>A linear map with bias of so many vectors.</summary>
    public static LayerCost Linear(long inFeatures, long outFeatures, long vectors = 1) => Convolution(inFeatures, outFeatures, 1, vectors);

    /// <summary>A linear map without bias of so many vectors.</summary>
    public static LayerCost Matrix(long inFeatures, long outFeatures, long vectors) => new(inFeatures * outFeatures, inFeatures * outFeatures * vectors);

    /// <summary>A normalisation.</summary>
    public static LayerCost Norm(long channels) => new(2 * channels, 0);

    /// <summary>A residual block.</summary>
    public static LayerCost Residual(ResidualPlan plan, long pixels) =>
        Norm(plan.InChannels) + Convolution(plan.InChannels, plan.OutChannels, 3, pixels)
        + Linear(plan.TimeDimension, plan.TimeChannels)
        + Norm(plan.OutChannels) + Convolution(plan.OutChannels, plan.OutChannels, 3, pixels)
        + (plan.ProjectsShortcut ? Convolution(plan.InChannels, plan.OutChannels, 1, pixels) : default);

    /// <summary>A self-attention.</summary>
    public static LayerCost Attention(AttentionPlan plan, long pixels) =>
        (plan.Groups > 0 ? Norm(plan.Channels) : default)
        + Linear(plan.Channels, 3L * plan.Inner, pixels) + new LayerCost(0, 2 * pixels * pixels * plan.Inner) + Linear(plan.Inner, plan.Channels, pixels);

    /// <summary>A transformer over the pixels that attends to a context of so many tokens.</summary>
    public static LayerCost Transformer(int channels, SpatialTransformerOptions options, long pixels, long tokens)
    {
        long inner = options.Heads * (options.HeadWidth ?? (channels / options.Heads));
        var cost = Norm(channels) + Linear(channels, inner, pixels) + Linear(inner, channels, pixels);
        for (var i = 0; i < options.Layers; i++)
        {
            cost += Norm(inner) + CrossAttention(inner, inner, pixels, pixels);
            cost += Norm(inner) + CrossAttention(inner, options.ContextChannels, pixels, tokens);
            cost += Norm(inner) + Linear(inner, 8 * inner, pixels) + Linear(4 * inner, inner, pixels); // two of the four times wider features: the gate and what it lets through
        }

        return cost;
    }

    private static LayerCost CrossAttention(long inner, long contextChannels, long pixels, long tokens) =>
        Matrix(inner, inner, pixels) + Matrix(contextChannels, 2 * inner, tokens) + new LayerCost(0, 2 * pixels * tokens * inner) + Linear(inner, inner, pixels);
}
