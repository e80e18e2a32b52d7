using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Gradients of classifiers of noisy images.</summary>
internal static class ClassifierGradients
{
    /// <summary>The gradient of ln p(y | x_t) for a classifier that was trained on noisy images, by automatic differentiation.</summary>
    /// <param name="classifier">Takes x_t [B, C, H, W] and timesteps [B] and returns logits [B, classes]; the caller keeps owning it. Run in evaluation mode; its own gradients are not touched.</param>
    /// <param name="labels">y: one class an image, in [0, classes); one label alone serves a batch of any size.</param>
    /// <returns>The gradient.</returns>
    /// <exception cref="ArgumentException">There is no label, or one is negative.</exception>
    public static Func<Tensor, NoiseLevel, Tensor> Of(nn.Module<Tensor, Tensor, Tensor> classifier, params ReadOnlySpan<long> labels)
    {
        ArgumentNullException.ThrowIfNull(classifier);
        var bound = Condition.OfLabels(labels);
        return (noisy, level) => Gradient(classifier, [.. bound.LabelsFor((int)noisy.shape[0]).Select(label => label!.Value)], noisy, level);
    }

    private static Tensor Gradient(nn.Module<Tensor, Tensor, Tensor> classifier, long[] labels, Tensor noisy, NoiseLevel level)
    {
        using var gradients = enable_grad();
        using var scope = NewDisposeScope();
        using var evaluation = NetworkAccess.Of(classifier).Evaluate();
        var type = classifier.parameters().FirstOrDefault()?.dtype ?? noisy.dtype;
        var input = noisy.detach().requires_grad_(true);
        var logits = classifier.call(input.to(type), NetworkTimesteps.Of(level, noisy));
        if (logits.dim() != 2 || logits.shape[0] != labels.Length)
        {
            throw new InvalidOperationException($"The classifier must return logits of shape [{labels.Length}, classes]; it returned [{string.Join(", ", logits.shape)}].");
        }

        if (labels.Max() >= logits.shape[1])
        {
            throw new InvalidOperationException($"The classifier has {logits.shape[1]} classes; there is a label {labels.Max()}.");
        }

        if (!logits.requires_grad)
        {
            throw new InvalidOperationException("The classifier's logits have no gradient: it must not turn gradients off or detach its input.");
        }

        var index = tensor(labels, ScalarType.Int64, noisy.device).unsqueeze(1); // [B] → [B, 1]
        // No image depends on another one's logits, so the gradient of the sum has each image's own.
        var likelihood = nn.functional.log_softmax(logits, 1).gather(1, index).sum();
        return GraphGradients.Of([likelihood], [input])[0].MoveToOuterDisposeScope();
    }
}
