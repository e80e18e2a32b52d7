namespace Diffusion.Models;

/// <summary>The parameters and multiply-adds of layers.</summary>
/// <param name="Parameters">Trainable numbers.</param>
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
}
