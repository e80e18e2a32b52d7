using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>The linear map of a time embedding in a residual block: few rows, often one for a whole batch.</summary>
/// <typeparam name="TVector">The vectors that are multiplied.</typeparam>
internal static unsafe class TimeProjection<TVector>
    where TVector : unmanaged, IVector<TVector>
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
                var sum = default(TVector);
                for (var feature = 0; feature < features; feature += TVector.Count)
                {
                    sum = TVector.FusedMultiplyAdd(TVector.Load(factors + feature), TVector.Load(time + feature), sum);
                }

                *to = TVector.Sum(sum) + bias[output] + (start == null ? 0 : start[output]);
            }
        }
    }

    /// <summary>A product of matrices for the gradients of the map: the same bits for any number of threads, which libtorch's do not promise.</summary>
    /// <param name="left">[rows, depth].</param>
    /// <param name="transposed">Whether it lies as [depth, rows].</param>
    /// <param name="right">[depth, features], contiguous, features a multiple of 16.</param>
    /// <returns>[rows, features].</returns>
    public static Tensor Multiply(Tensor left, bool transposed, Tensor right)
    {
        var (depth, features) = ((int)right.size(0), (int)right.size(1));
        var rows = (int)left.size(transposed ? 1 : 0);
        var product = empty([rows, features], dtype: ScalarType.Float32);
        Multiply(TensorMemory.Of<float>(left), transposed ? 1 : depth, transposed ? rows : 1, TensorMemory.Of<float>(right), rows, depth, features, TensorMemory.Of<float>(product));
        return product;
    }

    [MethodImpl(Loop.Alone)]
    private static void Multiply(float* left, int rowStep, int depthStep, float* right, int rows, int depth, int features, float* to)
    {
        for (var row = 0; row < rows; row++, left += rowStep, to += features)
        {
            for (var feature = 0; feature < features; feature += TVector.Count)
            {
                var (even, odd, k) = (default(TVector), default(TVector), 0);
                for (; k + 1 < depth; k += 2)
                {
                    even = TVector.FusedMultiplyAdd(TVector.Create(left[(long)k * depthStep]), TVector.Load(right + ((long)k * features) + feature), even);
                    odd = TVector.FusedMultiplyAdd(TVector.Create(left[((long)k + 1) * depthStep]), TVector.Load(right + (((long)k + 1) * features) + feature), odd);
                }

                if (k < depth)
                {
                    even = TVector.FusedMultiplyAdd(TVector.Create(left[(long)k * depthStep]), TVector.Load(right + ((long)k * features) + feature), even);
                }

                TVector.Store(even + odd, to + feature);
            }
        }
    }
}
