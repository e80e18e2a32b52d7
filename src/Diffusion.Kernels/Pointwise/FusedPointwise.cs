using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary><see cref="PointwiseKernel"/> as an operation of the graph. Gradients that are to be differentiated again come from libtorch.</summary>
internal sealed unsafe class FusedPointwise : autograd.SingleTensorFunction<FusedPointwise>
{
    public override string Name => nameof(FusedPointwise);

    /// <summary>Whether it runs here, and is the fastest way.</summary>
    public static bool CanRun(Tensor input, Tensor matrix) =>
        matrix.dtype == ScalarType.Float32 && input.device_type == TorchSharp.DeviceType.CPU
        && input.dtype is ScalarType.Float32 or ScalarType.BFloat16 && TileSupport.Runs
        && matrix.size(0) % 16 == 0 && matrix.size(1) % 16 == 0 && matrix.is_contiguous()
        && input.size(2) * input.size(3) >= PointwiseKernel.FewestPixels && input.is_contiguous()
        && input.numel() / matrix.size(1) * Math.Max(matrix.size(0), matrix.size(1)) is > 0 and < int.MaxValue / sizeof(float);

    /// <summary>The matrix applied to every pixel, and the bias.</summary>
    /// <param name="input">[B, C, H, W], contiguous.</param>
    /// <param name="matrix">[O, C] or [O, C, 1, 1], contiguous: the weight itself and no view of it, as what is made of it in a sampling run is kept with it.</param>
    /// <param name="bias">[O], or <see langword="null"/>.</param>
    /// <returns>[B, O, H, W].</returns>
    public static Tensor Apply(Tensor input, Tensor matrix, Tensor? bias)
    {
        var differentiates = is_grad_enabled() && (input.requires_grad || matrix.requires_grad || bias is { requires_grad: true });
        return differentiates ? apply([input, matrix, .. bias is null ? [] : new object[] { bias }]) : Mapped(input, matrix, transposed: false, bias);
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var saved = vars.Cast<Tensor>().ToList();
        ReturnedGradients.Save(ctx, BackwardPass.ExpectsOne, saved);
        return Mapped(saved[0], saved[1], transposed: false, saved.ElementAtOrDefault(2));
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var received = grad_output; // a handle of its own, which no dispose scope may know
        return ReturnedGradients.Return(ctx, 0, grad_output, saved => Gradients(saved, grad_output), Plain);
    }

    private static Tensor Plain(List<Tensor> sources)
    {
        var type = LayerPrecision.OfProducts(sources[0]);
        return PlainPointwise.Forward(sources[0].to(type), sources[1].flatten(1).to(type), sources.ElementAtOrDefault(2)?.to(type), stride: 1).to(sources[0].dtype);
    }

    /// <summary>The matrix applied to every pixel, without a graph.</summary>
    /// <param name="input">As for <see cref="Apply"/>.</param>
    /// <param name="matrix">[O, C], or [C, O] where it is transposed.</param>
    /// <param name="transposed">Whether it is.</param>
    /// <param name="bias">[O], or <see langword="null"/>.</param>
    public static Tensor Mapped(Tensor input, Tensor matrix, bool transposed, Tensor? bias)
    {
        using var pointers = TensorMemory.Use();
        using var scope = NewDisposeScope();
        var size = Size(input, (int)matrix.size(transposed ? 1 : 0));
        var output = empty([input.size(0), size.Out, input.size(2), input.size(3)], dtype: input.dtype);
        var start = bias is null ? null : TensorMemory.Of<float>(bias);
        PointwiseKernel.For(IsNarrow(input)).Map(matrix, transposed, start, (nint)TensorMemory.Of<byte>(input), (nint)TensorMemory.Of<byte>(output), IsNarrow(input), size);
        return output.MoveToOuterDisposeScope();
    }

    private static List<Tensor?> Gradients(List<Tensor> saved, Tensor direction)
    {
        var (input, matrix, dense) = (saved[0], saved[1], direction.to(saved[0].dtype).contiguous());
        List<Tensor?> gradients = [input.requires_grad ? Mapped(dense, matrix, transposed: true, null) : null, matrix.requires_grad ? OfMatrix(dense, input, matrix) : null];
        if (saved.Count > 2)
        {
            gradients.Add(saved[2].requires_grad ? ChannelSums.OfAll(dense) : null);
        }

        return gradients;
    }

    /// <summary>The gradient of the matrix, without a graph.</summary>
    /// <param name="direction">[B, O, H, W], contiguous.</param>
    /// <param name="input">[B, C, H, W], contiguous, in the type of the direction.</param>
    /// <param name="matrix">[O, C], or [O, C, 1, 1].</param>
    /// <returns>The shape of the matrix.</returns>
    public static Tensor OfMatrix(Tensor direction, Tensor input, Tensor matrix)
    {
        using var pointers = TensorMemory.Use();
        using var scope = NewDisposeScope();
        var (size, gradient) = (Size(input, (int)matrix.size(0)), empty_like(matrix));
        PointwiseKernel.For(IsNarrow(input)).OfMatrix((nint)TensorMemory.Of<byte>(direction), (nint)TensorMemory.Of<byte>(input), IsNarrow(input), TensorMemory.Of<float>(gradient), size);
        return gradient.MoveToOuterDisposeScope();
    }

    private static bool IsNarrow(Tensor images) => images.dtype == ScalarType.BFloat16;

    private static (int Images, int In, int Out, int Pixels) Size(Tensor input, int channels) => ((int)input.size(0), (int)input.size(1), channels, (int)(input.size(2) * input.size(3)));
}
