using System.Globalization;

namespace Diffusion.Benchmarks;

/// <summary>One measurement of the scaling study.</summary>
/// <param name="Kind">What is run.</param>
/// <param name="Batch">The images of a batch.</param>
/// <param name="Size">Their height and width.</param>
/// <param name="Images">The images that are made in all, where images are made.</param>
/// <param name="Quick">Whether the smallest network stands for the reference network.</param>
internal sealed record ScalingPoint(ScalingKind Kind, int Batch, int Size, int Images, bool Quick)
{
    /// <summary>As the arguments of a process.</summary>
    public IEnumerable<string> ToArguments() => [$"{Kind}", Text(Batch), Text(Size), Text(Images), $"{Quick}"];

    public static ScalingPoint Parse(IReadOnlyList<string> texts) =>
        new(Enum.Parse<ScalingKind>(texts[0]), Number(texts[1]), Number(texts[2]), Number(texts[3]), bool.Parse(texts[4]));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
