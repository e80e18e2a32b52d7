using System.Text;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The weights of a module (its parameters and persistent buffers), in and out, and which of them are trained.</summary>
public static class Weights
{
    /// <summary>
    /// Freezes parameters; those that match no pattern stay as they are. A frozen parameter has no gradient, is in no optimizer and keeps its bits; it is saved
    /// and loaded like the others. Choose before the trainer is made: it takes over what requires gradients then.
    /// </summary>
    /// <remarks>
    /// A pattern is a name as in <c>network.named_parameters()</c>, in which <c>*</c> stands for any characters, dots included, or none:
    /// <c>time.*</c> is everything within <c>time</c>, <c>*.bias</c> every bias, <c>*</c> everything. Case matters.
    /// </remarks>
    /// <param name="network">The network.</param>
    /// <param name="patterns">At least one pattern.</param>
    /// <returns>The names of the parameters that the patterns match, in the order of the network.</returns>
    /// <exception cref="ArgumentException">A pattern matches no parameter: the message lists the nearest names, and nothing is changed. Or there is no pattern.</exception>
    public static IReadOnlyList<string> Freeze(nn.Module network, params IReadOnlyList<string> patterns) => FineTuning.Freeze(network, patterns);

    /// <summary>Lets parameters be trained again; those that match no pattern stay as they are.</summary>
    /// <inheritdoc cref="Freeze"/>
    public static IReadOnlyList<string> Unfreeze(nn.Module network, params IReadOnlyList<string> patterns) => FineTuning.Unfreeze(network, patterns);

    /// <summary>
    /// Copies weights into a module. Names and shapes must be the module's, all of them; otherwise nothing is changed and all differences are in one message.
    /// Nothing is broadcast. Floating-point types are converted to each other; other types must be equal.
    /// </summary>
    /// <param name="module">Where the weights go; it keeps its types and device.</param>
    /// <param name="weights">Tensors by the names of the module's state dictionary, on any device. They are copied.</param>
    /// <exception cref="ArgumentException">The weights do not fit: the message lists every missing, unexpected and mismatched one.</exception>
    /// <exception cref="InvalidOperationException">This thread is within a call of the module by <see cref="NetworkDenoiser"/>.</exception>
    /// <remarks>TorchSharp's own <c>load_state_dict</c> broadcasts a tensor of one element into any shape and names no key.</remarks>
    public static void Load(nn.Module module, IReadOnlyDictionary<string, Tensor> weights)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(weights);
        using var exclusive = NetworkAccess.Of(module).Train(); // its own weights, not averaged ones that a sampling run has put in place
        using var scope = NewDisposeScope();
        var targets = module.state_dict();
        if (Differences(targets, weights) is { Length: > 0 } differences)
        {
            throw new ArgumentException($"The weights do not fit the module {module.GetName()}:{differences}", nameof(weights));
        }

        using (no_grad())
        {
            foreach (var (name, target) in targets)
            {
                target.copy_(weights[name]);
            }
        }

        WeightCache.Changed();
    }

    /// <summary>The weights of a module as they are now.</summary>
    /// <param name="module">A module.</param>
    /// <returns>Copies on the module's device, without gradients, in the order of the state dictionary; the caller disposes them.</returns>
    public static TensorDictionary Snapshot(nn.Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        using var exclusive = NetworkAccess.Of(module).Train();
        using var scope = NewDisposeScope();
        return new TensorDictionary(module.state_dict().Select(item => KeyValuePair.Create(item.Key, item.Value.detach().clone())));
    }

    private static string Differences(Dictionary<string, Tensor> targets, IReadOnlyDictionary<string, Tensor> weights)
    {
        var message = new StringBuilder();
        foreach (var (name, target) in targets)
        {
            if (!weights.TryGetValue(name, out var weight))
            {
                message.Append($"\n  missing: '{name}' {Describe(target)}");
            }
            else if (!target.shape.AsSpan().SequenceEqual(weight.shape) || !Converts(weight.dtype, target.dtype))
            {
                message.Append($"\n  mismatched: '{name}' is {Describe(weight)} and needs to be {Describe(target)}");
            }
        }

        foreach (var (name, weight) in weights)
        {
            if (!targets.ContainsKey(name))
            {
                message.Append($"\n  unexpected: '{name}' {Describe(weight)}");
            }
        }

        return message.ToString();
    }

    private static string Describe(Tensor tensor) => new TensorInfo(tensor.dtype, tensor.shape).ToString();

    private static bool Converts(ScalarType from, ScalarType to) => from == to || (IsFloatingPoint(from) && IsFloatingPoint(to));

    private static bool IsFloatingPoint(ScalarType type) =>
        type is ScalarType.Float16 or ScalarType.BFloat16 or ScalarType.Float32 or ScalarType.Float64;
}
