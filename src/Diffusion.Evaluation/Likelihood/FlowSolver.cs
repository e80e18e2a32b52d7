using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>The classical Runge–Kutta method of order 4 for the probability flow and the integral of its trace.</summary>
internal static class FlowSolver
{
    /// <summary>Follows the flow from the image to the noise.</summary>
    /// <param name="slope">The flow.</param>
    /// <param name="path">The levels.</param>
    /// <param name="start">z at the first level, [B, …], Float64; not changed.</param>
    /// <param name="cancellationToken">Checked before every step.</param>
    /// <returns>z at the last level, and the integral of the trace, [B], for the caller to dispose.</returns>
    public static (Tensor End, Tensor Trace) Run(FlowSlope slope, FlowPath path, Tensor start, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        using var sixth = (path.Width / 6).ToScalar();
        using var half = (path.Width / 2).ToScalar();
        using var whole = path.Width.ToScalar();
        var (state, integral) = (start.clone(), zeros(start.shape[0], ScalarType.Float64, start.device));
        for (var step = 0; step < path.Steps; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var one = NewDisposeScope();
            var (begin, middle, end) = path.Step(step);
            var first = slope.At(state, begin);
            var second = slope.At(state.add(first.Slope, alpha: half), middle);
            var third = slope.At(state.add(second.Slope, alpha: half), middle);
            var fourth = slope.At(state.add(third.Slope, alpha: whole), end);
            state.add_(Sum(first.Slope, second.Slope, third.Slope, fourth.Slope), alpha: sixth);
            integral.add_(Sum(first.Trace, second.Trace, third.Trace, fourth.Trace), alpha: sixth);
        }

        return (state.MoveToOuterDisposeScope(), integral.MoveToOuterDisposeScope());
    }

    private static Tensor Sum(Tensor first, Tensor second, Tensor third, Tensor fourth)
    {
        using var middle = second.Plus(third);
        using var outer = first.Plus(fourth);
        return outer.add(middle, alpha: Scalars.Two);
    }
}
