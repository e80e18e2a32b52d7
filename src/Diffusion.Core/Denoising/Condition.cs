using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// What a network is given beside noisy samples and timesteps: class labels, a context (a sequence of vectors, such as an encoded text), both or nothing. Immutable data.
/// </summary>
/// <remarks>
/// Labels: Diffusion Models Beat GANs on Image Synthesis, arXiv:2105.05233. Context: High-Resolution Image Synthesis with Latent Diffusion Models,
/// arXiv:2112.10752, section 3.3. No condition: Classifier-Free Diffusion Guidance, arXiv:2207.12598, section 3.2.
/// </remarks>
public sealed class Condition
{
    private readonly Condition[] _parts;

    private Condition(long[]? labels, Tensor? context)
    {
        (Labels, Context) = (labels, context);
        _parts = [this];
    }

    private Condition(Condition[] parts) => _parts = parts;

    /// <summary>No condition: a conditional network then uses its null condition.</summary>
    public static Condition None { get; } = new(null, null);

    /// <summary>One label a sample, or one label for all; <see langword="null"/> without labels.</summary>
    public IReadOnlyList<long>? Labels { get; }

    /// <summary>[B, L, D], one context a sample, or [1, L, D] for all; <see langword="null"/> without a context.</summary>
    public Tensor? Context { get; }

    /// <summary>The conditions of the equal parts of a batch, in their order; the condition itself where it was not made by <see cref="Stack"/>.</summary>
    public IReadOnlyList<Condition> Parts => _parts;

    /// <summary>Class labels.</summary>
    /// <param name="labels">One label a sample, each at least 0; one label alone serves a batch of any size.</param>
    /// <returns>The condition.</returns>
    /// <exception cref="ArgumentException">There is no label, or one is negative.</exception>
    public static Condition OfLabels(params ReadOnlySpan<long> labels)
    {
        if (labels.IsEmpty)
        {
            throw new ArgumentException("A condition of labels needs at least one; there is none.", nameof(labels));
        }

        for (var i = 0; i < labels.Length; i++)
        {
            if (labels[i] < 0)
            {
                throw new ArgumentException($"Labels must not be negative; labels[{i}] is {labels[i]}.", nameof(labels));
            }
        }

        return new(labels.ToArray(), null);
    }

    /// <inheritdoc cref="OfLabels(ReadOnlySpan{long})" path="/summary|/returns|/exception"/>
    /// <param name="labels">Int64, [B]: one label a sample, each at least 0; copied.</param>
    public static Condition OfLabels(Tensor labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        if (labels.dtype != ScalarType.Int64 || labels.dim() != 1)
        {
            throw new ArgumentException($"Labels must be Int64 of shape [B]; these are {labels.dtype} of shape [{string.Join(", ", labels.shape)}].", nameof(labels));
        }

        using var local = labels.cpu();
        return OfLabels(local.data<long>().ToArray());
    }

    /// <summary>A context.</summary>
    /// <param name="context">[B, L, D], one a sample, or [1, L, D] for a batch of any size. The caller keeps owning it and leaves it alone while the condition is used.</param>
    /// <returns>The condition.</returns>
    /// <exception cref="ArgumentException">The context has another rank or no vector.</exception>
    public static Condition OfContext(Tensor context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.dim() == 3 && context.numel() > 0
            ? new(null, context)
            : throw new ArgumentException($"A context must have the shape [B, L, D], none of them 0; it has [{string.Join(", ", context.shape)}].", nameof(context));
    }

    /// <summary>Joins the conditions of equal parts of a batch, so that one call of a network serves them: guidance asks for [conditional, unconditional].</summary>
    /// <param name="parts">At least one condition; the parts of a stacked one count singly.</param>
    /// <returns>The condition of a batch of so many parts.</returns>
    /// <exception cref="ArgumentException">There is no condition.</exception>
    public static Condition Stack(params ReadOnlySpan<Condition> parts)
    {
        var all = new List<Condition>();
        foreach (var part in parts)
        {
            ArgumentNullException.ThrowIfNull(part, nameof(parts));
            all.AddRange(part._parts);
        }

        return all.Count switch
        {
            0 => throw new ArgumentException("At least one condition is needed; there is none.", nameof(parts)),
            1 => all[0],
            _ => new([.. all]),
        };
    }

    /// <summary>Adds labels to a context or a context to labels.</summary>
    /// <param name="other">What is added; where both have labels, or both a context, that of <paramref name="other"/> counts.</param>
    /// <returns>The condition with both.</returns>
    /// <exception cref="ArgumentException">One of them was made by <see cref="Stack"/>.</exception>
    public Condition And(Condition other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return _parts.Length == 1 && other._parts.Length == 1
            ? new((long[]?)(other.Labels ?? Labels), other.Context ?? Context)
            : throw new ArgumentException("Conditions of the parts of a batch are not added to each other: add first, then stack.", nameof(other));
    }

    /// <summary>The label of each sample.</summary>
    /// <param name="count">The samples of the batch, those of all parts.</param>
    /// <returns>So many labels; <see langword="null"/> for samples without one.</returns>
    /// <exception cref="ArgumentException">The batch does not fit the parts, or a part's labels do not fit it.</exception>
    public IReadOnlyList<long?> LabelsFor(int count)
    {
        var each = PartSize(count);
        var labels = new List<long?>(count);
        foreach (var part in _parts)
        {
            var own = part.Labels;
            if (own is { Count: > 1 } && own.Count != each)
            {
                throw new ArgumentException($"There must be one label, or one for each sample; {own.Count} labels were given for {each} samples.", nameof(count));
            }

            labels.AddRange(Enumerable.Range(0, each).Select(i => own?[own.Count == 1 ? 0 : i]));
        }

        return labels;
    }

    /// <inheritdoc/>
    public override string ToString() => _parts.Length > 1
        ? $"[{string.Join("; ", (IEnumerable<Condition>)_parts)}]"
        : (Labels, Context) switch
        {
            (null, null) => "no condition",
            ({ } labels, null) => Text(labels),
            (null, { } context) => Text(context),
            var (labels, context) => $"{Text(labels)} and {Text(context)}",
        };

    /// <summary>The samples of each part of a batch.</summary>
    internal int PartSize(int count) => count % _parts.Length == 0
        ? count / _parts.Length
        : throw new ArgumentException($"A condition of {_parts.Length} parts needs a batch of so many equal parts; there are {count} samples.", nameof(count));

    /// <summary>The context of each sample of a part, [count, L, D], a view; <see langword="null"/> without a context.</summary>
    internal Tensor? ContextFor(int count) => Context is null || Context.shape[0] == count
        ? Context
        : Context.shape[0] == 1
            ? Context.expand(count, -1, -1)
            : throw new ArgumentException($"There must be one context, or one for each sample; {Context.shape[0]} were given for {count} samples.", nameof(count));

    private static string Text(IReadOnlyList<long> labels) => labels.Count == 1 ? $"label {labels[0]}" : $"{labels.Count} labels";

    private static string Text(Tensor context) => $"context [{string.Join(", ", context.shape)}]";
}
