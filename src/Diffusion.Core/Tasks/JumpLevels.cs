using System.Collections;

namespace Diffusion;

/// <summary>
/// The levels of a run with jumps back: wherever the number of steps left of the run without jumps is a multiple of the jump length, the run goes back by that many levels
/// and samples them again; never back to the first level. Maps each step to that of the run without jumps.
/// </summary>
/// <remarks>RePaint, arXiv:2201.09865, appendix B, where the jumps lie as in the diffusers library, the one from the clean image included.</remarks>
internal sealed class JumpLevels : IReadOnlyList<NoiseLevel>
{
    private readonly IReadOnlyList<NoiseLevel> _plain;
    private readonly int[] _positions;

    /// <param name="plain">The levels of the run without jumps.</param>
    /// <param name="jumpLength">The levels of a jump back, at least 1.</param>
    /// <param name="resamples">How many times each part is sampled, at least 1.</param>
    public JumpLevels(IReadOnlyList<NoiseLevel> plain, int jumpLength, int resamples)
    {
        _plain = plain;
        var steps = plain.Count - 1;
        if (resamples > 1 && jumpLength >= steps)
        {
            throw new ArgumentOutOfRangeException(nameof(jumpLength), jumpLength, $"Jumps must be shorter than the run, {steps} steps; this length is {jumpLength}.");
        }

        var jumps = new int[steps + 1]; // by the steps that are left
        for (var left = 0; left < steps - jumpLength; left += jumpLength)
        {
            jumps[left] = resamples - 1;
        }

        List<int> positions = [0];
        for (var position = 0; position < steps;)
        {
            positions.Add(++position);
            if (jumps[steps - position]-- > 0)
            {
                for (var i = 0; i < jumpLength; i++)
                {
                    positions.Add(--position);
                }
            }
        }

        _positions = [.. positions];
    }

    public int Count => _positions.Length;

    public NoiseLevel this[int index] => _plain[_positions[index]];

    /// <summary>Whether a step goes back towards noise, also where the two levels are equal.</summary>
    public bool GoesBack(int index) => _positions[index + 1] < _positions[index];

    /// <summary>The same step, towards less noise, as one of the run without jumps.</summary>
    public StepContext Plain(StepContext context) => context.Within(_plain, _positions[context.Index]);

    public IEnumerator<NoiseLevel> GetEnumerator() => _positions.Select(position => _plain[position]).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
