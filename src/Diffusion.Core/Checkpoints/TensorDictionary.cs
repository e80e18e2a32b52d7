using System.Collections;
using System.Diagnostics.CodeAnalysis;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Tensors by name, and their owner: disposing it disposes them. They are taken out of any dispose scope, so that they live as long as it does.
/// Names are compared ordinally; the order is the one in which the tensors were given.
/// </summary>
public sealed class TensorDictionary : IReadOnlyDictionary<string, Tensor>, IDisposable
{
    private readonly OrderedDictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);

    /// <summary>Takes ownership of the tensors.</summary>
    /// <param name="tensors">Names and tensors; the same tensor may have several names.</param>
    /// <exception cref="ArgumentException">A name occurs twice.</exception>
    public TensorDictionary(IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        foreach (var (name, tensor) in tensors)
        {
            if (!_tensors.TryAdd(name, tensor))
            {
                throw new ArgumentException($"The name '{name}' occurs twice; every tensor needs its own.", nameof(tensors));
            }
        }

        foreach (var tensor in _tensors.Values)
        {
            tensor.DetachFromDisposeScope();
        }
    }

    /// <inheritdoc/>
    public int Count => _tensors.Count;

    /// <inheritdoc/>
    public IEnumerable<string> Keys => _tensors.Keys;

    /// <inheritdoc/>
    public IEnumerable<Tensor> Values => _tensors.Values;

    /// <summary>The tensor of a name. It stays this dictionary's: do not dispose it.</summary>
    /// <param name="key">The name.</param>
    /// <exception cref="KeyNotFoundException">There is no such tensor; the message names it.</exception>
    public Tensor this[string key] => _tensors.TryGetValue(key, out var tensor)
        ? tensor
        : throw new KeyNotFoundException($"There is no tensor '{key}' among the {Count} here.");

    /// <inheritdoc/>
    public bool ContainsKey(string key) => _tensors.ContainsKey(key);

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out Tensor value) => _tensors.TryGetValue(key, out value);

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, Tensor>> GetEnumerator() => _tensors.GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _tensors.Values)
        {
            tensor.Dispose();
        }
    }
}
