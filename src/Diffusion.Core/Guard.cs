using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Checks at the public edge, with messages that name what was given and what is needed.</summary>
internal static class Guard
{
    public static void SameShape(
        Tensor expected,
        Tensor actual,
        [CallerArgumentExpression(nameof(expected))] string expectedName = "",
        [CallerArgumentExpression(nameof(actual))] string actualName = "")
    {
        if (!expected.shape.AsSpan().SequenceEqual(actual.shape))
        {
            throw new ArgumentException(
                $"'{actualName}' must have the shape of '{expectedName}', [{string.Join(", ", expected.shape)}]; it has [{string.Join(", ", actual.shape)}].",
                actualName);
        }
    }
}
