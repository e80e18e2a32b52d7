using System.Runtime.Intrinsics;

namespace Diffusion.Evaluation;

/// <summary>‖x − y‖², from the differences: equal for x, y and y, x, 0 for equal rows, and exact where the features are small whole numbers. ‖x‖² + ‖y‖² − 2⟨x, y⟩ is none of these.</summary>
internal readonly struct SquaredDistances : IPairing
{
    public static Vector512<double> Add(Vector512<double> row, Vector512<double> columns, Vector512<double> sums)
    {
        var difference = row - columns;
        return Vector512.MultiplyAddEstimate(difference, difference, sums);
    }
}
