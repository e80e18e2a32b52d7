using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Gives a network the conditions of a batch: labels and contexts where it takes them, its null condition where a sample has none.</summary>
internal sealed class NetworkConditions
{
    private readonly nn.Module<Tensor, Tensor, Tensor> _network;
    private readonly IConditionalNetwork? _conditional;
    private readonly Condition _none;

    public NetworkConditions(nn.Module<Tensor, Tensor, Tensor> network, Condition? nullCondition)
    {
        ArgumentNullException.ThrowIfNull(network);
        _network = network;
        _conditional = network as IConditionalNetwork;
        _none = nullCondition ?? Condition.None;
        if (_none.Parts.Count > 1 || _none.Labels is { Count: > 1 } || _none.Context?.shape[0] > 1)
        {
            throw new ArgumentException($"The null condition must be one label, a context of shape [1, L, D] or both; it is {_none}.", nameof(nullCondition));
        }

        CheckTaken(_none, nameof(nullCondition));
    }

    public bool TakesLabels => _conditional?.TakesLabels ?? false;

    public bool TakesContext => _conditional?.TakesContext ?? false;

    /// <summary>Whether there is a null condition for all that the network takes.</summary>
    public bool HasNone => (TakesLabels || TakesContext) && (!TakesLabels || _none.Labels is not null) && (!TakesContext || _none.Context is not null);

    /// <summary>The label of the null condition.</summary>
    public long? NullLabel => _none.Labels is [var label] ? label : null;

    /// <summary>Whether there is a null condition, but not for all that the network takes.</summary>
    public bool HasPartOfNone => !HasNone && (_none.Labels is not null || _none.Context is not null);

    /// <summary>Throws where the null label is one of the classes of a source.</summary>
    public void Check(IImageSource source)
    {
        if (_none.Labels is [var label] && label < source.Classes)
        {
            throw new InvalidOperationException($"The null label (nullCondition) is {label}, which is one of the {source.Classes} classes of '{source.Name}', [0, {source.Classes - 1}]: give it a label of its own, such as {source.Classes}.");
        }
    }

    /// <summary>Throws where a source has not what the network takes.</summary>
    public void Check(IImageSource source, ImageBatch batch)
    {
        if (TakesLabels && batch.Labels is null)
        {
            throw new InvalidOperationException($"'{source.Name}' has no labels; the network takes a label for each sample.");
        }

        if (TakesContext && batch.Context is null)
        {
            throw new InvalidOperationException($"'{source.Name}' has no contexts; the network takes a context for each sample.");
        }
    }

    /// <summary>One call of the network, or one for each part where contexts of different lengths do not fit into one batch.</summary>
    public Tensor Call(Tensor input, Tensor timesteps, Condition condition)
    {
        foreach (var part in condition.Parts)
        {
            CheckTaken(part, nameof(condition));
        }

        if (_conditional is null || !(TakesLabels || TakesContext))
        {
            return _network.call(input, timesteps);
        }

        var count = (int)input.shape[0];
        var labels = TakesLabels ? Labels(condition.LabelsFor(count), input.device) : null;
        if (!TakesContext)
        {
            return _conditional.Predict(input, timesteps, labels, null);
        }

        var size = condition.PartSize(count);
        var contexts = condition.Parts.Select(part => Context(part, size).to(input.device).to(input.dtype)).ToList();
        return contexts.TrueForAll(context => context.shape.AsSpan().SequenceEqual(contexts[0].shape))
            ? _conditional.Predict(input, timesteps, labels, contexts.Count == 1 ? contexts[0] : cat(contexts))
            : cat([.. contexts.Select((context, i) => _conditional.Predict(
                input.narrow(0, i * size, size), timesteps.narrow(0, i * size, size), labels?.narrow(0, i * size, size), context))]);
    }

    /// <summary>As in training: labels [B] and a context [B, L, D], the null condition in place of those that are dropped.</summary>
    public Tensor Call(Tensor input, Tensor timesteps, Tensor? labels, Tensor? context) =>
        _conditional is not null && (TakesLabels || TakesContext) ? _conditional.Predict(input, timesteps, labels, context) : _network.call(input, timesteps);

    /// <summary>The labels of a training batch, on the device of its samples.</summary>
    public Tensor? LabelsOf(ImageBatch batch, IReadOnlyList<bool>? dropped)
    {
        if (!TakesLabels)
        {
            return null;
        }

        var (images, labels) = (batch.Images, batch.Labels);
        if (labels is null || labels.dtype != ScalarType.Int64 || labels.dim() != 1 || labels.shape[0] != images.shape[0])
        {
            throw new ArgumentException(
                $"The network takes a label for each sample: Int64 of shape [{images.shape[0]}] is needed; {(labels is null ? "there are none" : $"they are {labels.dtype} of shape [{string.Join(", ", labels.shape)}]")}.",
                nameof(batch));
        }

        var known = labels.to(images.device);
        if (dropped is null)
        {
            return known;
        }

        using var none = _none.Labels![0].ToScalar();
        return where(tensor(dropped.ToArray()).to(images.device), full_like(known, none), known);
    }

    /// <summary>The context of a training batch, on the device and in the type of its samples.</summary>
    public Tensor? ContextOf(ImageBatch batch, IReadOnlyList<bool>? dropped)
    {
        if (!TakesContext)
        {
            return null;
        }

        var (images, context) = (batch.Images, batch.Context);
        if (context is null || context.dim() != 3 || context.shape[0] != images.shape[0])
        {
            throw new ArgumentException(
                $"The network takes a context for each sample: shape [{images.shape[0]}, L, D] is needed; {(context is null ? "there is none" : $"it is [{string.Join(", ", context.shape)}]")}.",
                nameof(batch));
        }

        var known = context.to(images.device).to(images.dtype);
        if (dropped is null)
        {
            return known;
        }

        var none = _none.Context!.to(known.device).to(known.dtype);
        return none.shape.AsSpan(1).SequenceEqual(known.shape.AsSpan(1))
            ? where(tensor(dropped.ToArray()).to(images.device).view(-1, 1, 1), none, known)
            : throw new ArgumentException($"The null context has the shape [{string.Join(", ", none.shape)}], the contexts of the batch [{string.Join(", ", known.shape)}]: L and D must be the same.", nameof(batch));
    }

    private Tensor Labels(IReadOnlyList<long?> labels, Device device) => tensor(
        [.. labels.Select(label => label ?? _none.Labels?[0] ?? throw Missing("a label", "With(3)"))], ScalarType.Int64, device);

    private Tensor Context(Condition part, int count) => part.ContextFor(count) ?? _none.ContextFor(count) ?? throw Missing("a context", "With(Condition.OfContext(context))");

    private static InvalidOperationException Missing(string what, string how) =>
        new($"The network takes {what} and has none that stands for \"no condition\" (nullCondition): bind one, denoiser.{how}.");

    /// <summary>Throws where a condition has what the network does not take.</summary>
    public void CheckTaken(Condition condition, string name)
    {
        if (condition.Labels is not null && !TakesLabels)
        {
            throw new ArgumentException($"The network takes no labels; the condition is {condition}.", name);
        }

        if (condition.Context is not null && !TakesContext)
        {
            throw new ArgumentException($"The network takes no context; the condition is {condition}.", name);
        }
    }
}
