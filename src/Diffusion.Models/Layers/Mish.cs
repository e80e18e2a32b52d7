using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>x·tanh(ln(1 + eˣ)).</summary>
/// <remarks>Mish: A Self Regularized Non-Monotonic Activation Function, arXiv:1908.08681.</remarks>
internal static class Mish
{
    // TorchSharp's softplus makes its two numbers itself and does not keep them (see Scalars); in a program they belong to it.
    private const string Script = """
        def softplus(values):
            return torch.softplus(values, 1.0, 20.0)

        """;

    private static readonly Lazy<jit.CompilationUnit> s_unit = new(() => jit.compile(Script));

    /// <summary>The activation of every value.</summary>
    public static Tensor Apply(Tensor values)
    {
        using var softplus = (Tensor)s_unit.Value.invoke("softplus", values)!;
        using var tanh = softplus.tanh();
        return values * tanh;
    }
}
