using System.Globalization;

namespace Diffusion;

/// <summary>Reads the respacing strings of the improved-DDPM code.</summary>
internal static class Respacing
{
    private const string StridePrefix = "ddim";

    /// <summary>Increasing timesteps.</summary>
    public static int[] Parse(int timesteps, string sections)
    {
        if (sections.StartsWith(StridePrefix, StringComparison.Ordinal))
        {
            return WholeStride(timesteps, Number(sections[StridePrefix.Length..], sections), sections);
        }

        var counts = sections.Split(',').Select(part => Number(part, sections)).ToArray();
        var placed = new List<int>();
        var start = 0;
        for (var i = 0; i < counts.Length; i++)
        {
            // What does not divide evenly goes to the first sections, one each.
            var size = (timesteps / counts.Length) + (i < timesteps % counts.Length ? 1 : 0);
            if (size < counts[i])
            {
                throw new ArgumentException($"\"{sections}\" asks for {counts[i]} timesteps in section {i + 1} of {counts.Length}, which has {size} of {timesteps}.", nameof(sections));
            }

            var stride = counts[i] <= 1 ? 1 : (double)(size - 1) / (counts[i] - 1);
            var position = 0.0;
            for (var k = 0; k < counts[i]; k++)
            {
                placed.Add(start + (int)Math.Round(position));
                position += stride;
            }

            start += size;
        }

        return [.. placed];
    }

    private static int[] WholeStride(int timesteps, int count, string sections)
    {
        for (var stride = 1; stride < timesteps || stride == 1; stride++)
        {
            if ((timesteps + stride - 1) / stride == count)
            {
                return [.. Enumerable.Range(0, count).Select(i => i * stride)];
            }
        }

        throw new ArgumentException($"\"{sections}\": no integer stride takes exactly {count} of {timesteps} timesteps.", nameof(sections));
    }

    private static int Number(string text, string sections) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new ArgumentException($"\"{sections}\" is not a respacing: write \"ddim25\", or numbers above 0 separated by commas as in \"10,15,20\".", nameof(sections));
}
