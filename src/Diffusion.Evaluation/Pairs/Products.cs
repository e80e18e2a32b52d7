using System.Runtime.Intrinsics;

namespace Diffusion.Evaluation;

/// <summary>⟨x, y⟩.</summary>
internal readonly struct Products : IPairing
{
    public static Vector512<double> Add(Vector512<double> row, Vector512<double> columns, Vector512<double> sums) => Vector512.MultiplyAddEstimate(row, columns, sums);
}
