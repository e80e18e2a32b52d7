using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>What a program may have set before it calls this library: <c>torch.set_default_dtype</c>.</summary>
public static class DefaultTypes
{
    /// <summary>Fails unless the work gives the same bits whatever the default type is. Not beside other tests: the type is the process's.</summary>
    /// <param name="work">Gives tensors by name; called once for each type, within a scope.</param>
    /// <exception cref="TensorMismatchException">They differ; the message names the type.</exception>
    public static void Agree(Func<Dictionary<string, Tensor>> work)
    {
        using var scope = NewDisposeScope();
        var expected = work();
        foreach (var type in (ScalarType[])[ScalarType.Float64, ScalarType.BFloat16])
        {
            var before = get_default_dtype();
            set_default_dtype(type);
            try
            {
                TensorAssert.Identical(expected, work());
            }
            catch (TensorMismatchException e)
            {
                throw new TensorMismatchException($"With the default type {type}: {e.Message}");
            }
            finally
            {
                set_default_dtype(before);
            }
        }
    }
}
