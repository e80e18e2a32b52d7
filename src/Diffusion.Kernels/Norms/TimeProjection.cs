using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Diffusion.Kernels;

/// <summary>The linear map of a time embedding in a residual block: few rows, often one for a whole batch.</summary>
internal static unsafe class TimeProjection
{
    /// <summary>to[r, o] = start[o] + bias[o] + Σ weight[o, t] · time[r, t].</summary>
    /// <param name="time">[rows, features].</param>
    /// <param name="rows">How many.</param>
    /// <param name="features">A multiple of 16.</param>
    /// <param name="weight">[outputs, features].</param>
    /// <param name="bias">[outputs].</param>
    /// <param name="start">[outputs], or null.</param>
    /// <param name="outputs">How many.</param>
    /// <param name="to">[rows, outputs]; written.</param>
    [MethodImpl(Loop.Alone)]
    public static void Map(float* time, int rows, int features, float* weight, float* bias, float* start, int outputs, float* to)
    {
        for (var row = 0; row < rows; row++, time += features)
        {
            var factors = weight;
            for (var output = 0; output < outputs; output++, factors += features, to++)
            {
                var sum = Vector512<float>.Zero;
                for (var feature = 0; feature < features; feature += Vector512<float>.Count)
                {
                    sum = Vector512.FusedMultiplyAdd(Vector512.Load(factors + feature), Vector512.Load(time + feature), sum);
                }

                *to = Vector512.Sum(sum) + bias[output] + (start == null ? 0 : start[output]);
            }
        }
    }
}
