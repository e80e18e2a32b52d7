using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The last losses of every timestep in a run, and the probabilities that follow from them. Mutable, and not for several threads at once.</summary>
/// <remarks>Improved Denoising Diffusion Probabilistic Models, arXiv:2102.09672, Eq. 18: p_t in proportion to √E[L_t²].</remarks>
public sealed class LossHistory
{
    private readonly double[] _losses; // [T, N], oldest first
    private readonly long[] _counts;
    private readonly double _uniformShare;

    /// <summary>Makes an empty history.</summary>
    /// <param name="timesteps">T, at least 1.</param>
    /// <param name="losses">N, how many losses are kept for each timestep, at least 1.</param>
    /// <param name="uniformShare">The share of the probability that is spread evenly, in (0, 1].</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public LossHistory(int timesteps, int losses = 10, double uniformShare = 0.001)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(timesteps, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(losses, 1);
        _uniformShare = uniformShare is > 0 and <= 1
            ? uniformShare
            : throw new ArgumentOutOfRangeException(nameof(uniformShare), uniformShare, "The uniform share must be in (0, 1].");
        (_losses, _counts, Kept) = (new double[timesteps * losses], new long[timesteps], losses);
    }

    /// <summary>T.</summary>
    public int Timesteps => _counts.Length;

    /// <summary>N, how many losses are kept for each timestep.</summary>
    public int Kept { get; }

    /// <summary>Whether every timestep has its N losses; until then the probabilities are even.</summary>
    public bool IsFull => Array.TrueForAll(_counts, count => count == Kept);

    /// <summary>Adds the losses of a batch, in its order; the oldest of a timestep give way.</summary>
    /// <param name="timesteps">One an image, each in [0, T).</param>
    /// <param name="losses">The loss of each image, finite.</param>
    /// <exception cref="ArgumentException">The numbers do not fit together, or a loss is not finite.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A timestep is outside [0, T).</exception>
    public void Add(IReadOnlyList<int> timesteps, IReadOnlyList<double> losses)
    {
        ArgumentNullException.ThrowIfNull(timesteps);
        ArgumentNullException.ThrowIfNull(losses);
        if (timesteps.Count != losses.Count)
        {
            throw new ArgumentException($"Each timestep needs its loss; there are {timesteps.Count} timesteps and {losses.Count} losses.", nameof(losses));
        }

        for (var i = 0; i < timesteps.Count; i++)
        {
            if ((uint)timesteps[i] >= (uint)Timesteps)
            {
                throw new ArgumentOutOfRangeException(nameof(timesteps), timesteps[i], $"The timestep at index {i} must be in [0, {Timesteps}).");
            }

            if (!double.IsFinite(losses[i]))
            {
                throw new ArgumentException(FormattableString.Invariant($"A loss must be finite; losses[{i}] is {losses[i]}."), nameof(losses));
            }
        }

        for (var i = 0; i < timesteps.Count; i++)
        {
            Add(timesteps[i], losses[i]);
        }
    }

    /// <summary>The probability of each timestep.</summary>
    /// <returns>T numbers whose sum is 1.</returns>
    public double[] Probabilities()
    {
        var roots = TimestepDraw.Ones(Timesteps);
        if (!IsFull)
        {
            return [.. roots.Select(one => one / Timesteps)];
        }

        for (var t = 0; t < Timesteps; t++)
        {
            roots[t] = Math.Sqrt(Of(t).ToArray().Average(loss => loss * loss));
        }

        var sum = roots.Sum();
        return [.. roots.Select(root => sum > 0 ? (root / sum * (1 - _uniformShare)) + (_uniformShare / Timesteps) : 1.0 / Timesteps)];
    }

    /// <summary>The state, for a checkpoint.</summary>
    /// <returns>Losses, Float64 [T, N], oldest first, and their number, Int64 [T]; for the caller to dispose.</returns>
    public (Tensor Losses, Tensor Counts) Save()
    {
        using var flat = tensor(_losses, ScalarType.Float64);
        return (flat.reshape(Timesteps, Kept), tensor(_counts, ScalarType.Int64));
    }

    /// <summary>Goes back to a saved state.</summary>
    /// <param name="losses">Float64, [T, N].</param>
    /// <param name="counts">Int64, [T], each in [0, N].</param>
    /// <exception cref="ArgumentException">The tensors are not of a history of this size.</exception>
    public void Load(Tensor losses, Tensor counts)
    {
        var numbers = Check(losses, counts);
        using var scope = NewDisposeScope();
        losses.cpu().contiguous().data<double>().ToArray().CopyTo(_losses, 0);
        numbers.CopyTo(_counts, 0);
    }

    /// <summary>Throws where a saved state is not of a history of this size.</summary>
    /// <returns>The number of losses of each timestep.</returns>
    internal long[] Check(Tensor losses, Tensor counts)
    {
        ArgumentNullException.ThrowIfNull(losses);
        ArgumentNullException.ThrowIfNull(counts);
        Expect(losses, ScalarType.Float64, [Timesteps, Kept], nameof(losses));
        Expect(counts, ScalarType.Int64, [Timesteps], nameof(counts));
        using var scope = NewDisposeScope();
        var numbers = counts.cpu().contiguous().data<long>().ToArray();
        return !Array.Exists(numbers, count => count < 0 || count > Kept)
            ? numbers
            : throw new ArgumentException($"Each number of losses must be in [0, {Kept}]; there are {numbers.Min()} to {numbers.Max()}.", nameof(counts));
    }

    private static void Expect(Tensor tensor, ScalarType type, long[] shape, string name)
    {
        if (tensor.dtype != type || !tensor.shape.AsSpan().SequenceEqual(shape))
        {
            throw new ArgumentException($"'{name}' must be {type} of shape [{string.Join(", ", shape)}]; it is {tensor.dtype} of shape [{string.Join(", ", tensor.shape)}].", name);
        }
    }

    private Span<double> Of(int timestep) => _losses.AsSpan(timestep * Kept, Kept);

    private void Add(int timestep, double loss)
    {
        var row = Of(timestep);
        if (_counts[timestep] == Kept)
        {
            row[1..].CopyTo(row);
            row[^1] = loss;
        }
        else
        {
            row[(int)_counts[timestep]++] = loss;
        }
    }
}
