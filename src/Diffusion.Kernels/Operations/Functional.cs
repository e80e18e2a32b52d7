using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>
/// The operations that networks are made of. Each is computed by a kernel of this library where one runs and is the fastest way for the tensors, the processor and the level in use
/// (<see cref="Processor"/>), and by libtorch elsewhere; both have every derivative. In bfloat16 (<see cref="MixedPrecision"/>) inputs are rounded
/// on the way in, and weights where products are bfloat16, too; where the processor cannot use it (<see cref="Processor.UsesBFloat16"/>), inputs become float32 instead.
/// </summary>
internal static class Functional
{
    /// <summary>A convolution over a square kernel.</summary>
    /// <param name="input">[B, C, H, W].</param>
    /// <param name="convolution">Weight [O, C, k, k] and bias [O].</param>
    /// <returns>[B, O, H', W'].</returns>
    public static Tensor Conv2d(Tensor input, in ConvolutionParameters convolution)
    {
        var (weight, bias, shape) = (convolution.Weight, convolution.Bias, convolution.Shape);
        using var scope = NewDisposeScope();
        var used = LayerPrecision.Entering(input, weight);
        if (WinogradConvolution.CanRun(used, weight, shape))
        {
            return FusedConvolution.Apply(used, weight, bias, shape).MoveToOuterDisposeScope();
        }

        if (shape.IsPointwise && shape.Stride == 1 && FusedPointwise.CanRun(used, weight))
        {
            return FusedPointwise.Apply(used, weight, bias).MoveToOuterDisposeScope();
        }

        return ByLibtorch(used, convolution, transposed: false).MoveToOuterDisposeScope();
    }

    /// <summary>A transposed convolution over a square kernel.</summary>
    /// <param name="input">[B, C, H, W].</param>
    /// <param name="convolution">Weight [C, O, k, k] and bias [O].</param>
    /// <returns>[B, O, H', W'].</returns>
    public static Tensor ConvTranspose2d(Tensor input, in ConvolutionParameters convolution)
    {
        using var scope = NewDisposeScope();
        return ByLibtorch(LayerPrecision.Entering(input, convolution.Weight), convolution, transposed: true).MoveToOuterDisposeScope();
    }

    /// <summary>A linear map of the last dimension.</summary>
    /// <param name="input">[…, C].</param>
    /// <param name="linear">Weight [O, C] and bias [O].</param>
    /// <returns>[…, O].</returns>
    public static Tensor Linear(Tensor input, in LinearParameters linear)
    {
        var (weight, bias) = (linear.Weight, linear.Bias);
        using var scope = NewDisposeScope();
        var used = LayerPrecision.Entering(input, weight);
        var output = FusedLinear.CanRun(used, weight) ? FusedLinear.Apply(used, weight, bias)
            : !LayerPrecision.IsNarrow(weight) ? nn.functional.linear(used, weight, bias!)
            : LayerPrecision.OfProducts(used) == ScalarType.Float32 ? nn.functional.linear(used.to(ScalarType.Float32), weight, bias!).to(used.dtype)
            : nn.functional.linear(used, LayerPrecision.Rounded(weight), LayerPrecision.Rounded(bias)!);
        return output.MoveToOuterDisposeScope();
    }

    /// <summary>Two linear maps with a gated GELU between them, of which the backward pass computes the first and the gate again instead of keeping what is between, where kernels run.</summary>
    /// <param name="tokens">[…, C].</param>
    /// <param name="gate">From C features to values and gates, 2·H.</param>
    /// <param name="last">From H features to O.</param>
    /// <returns>[…, O].</returns>
    public static Tensor FeedForward(Tensor tokens, in LinearParameters gate, in LinearParameters last)
    {
        using var scope = NewDisposeScope();
        if (!is_grad_enabled() || !TileSupport.Runs || gate.Bias is not { } bias)
        {
            return Linear(GatedGelu.Of(Linear(tokens, gate)), last).MoveToOuterDisposeScope();
        }

        return RecomputedInput.Run(
            new FinalLinear(last), static (inputs, parameters) => [GatedGelu.Of(Linear(inputs[0], new(parameters[0], parameters[1])))], [gate.Weight, bias], tokens).MoveToOuterDisposeScope();
    }

    /// <summary>The pixels of images as tokens, row after row in memory: layers of tokens read rows faster.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <returns>[B, H·W, C], contiguous.</returns>
    public static Tensor Tokens(Tensor images)
    {
        using var scope = NewDisposeScope();
        return DenseTranspose.Of(images.flatten(2)).MoveToOuterDisposeScope(); // [B, C, H·W] → [B, H·W, C]
    }

    /// <summary>Tokens as the pixels of images.</summary>
    /// <param name="tokens">[B, H·W, C].</param>
    /// <param name="height">H.</param>
    /// <param name="width">W.</param>
    /// <returns>[B, C, H, W], contiguous.</returns>
    public static Tensor Images(Tensor tokens, long height, long width)
    {
        using var scope = NewDisposeScope();
        return DenseTranspose.Of(tokens).unflatten(2, [height, width]).MoveToOuterDisposeScope(); // [B, C, H·W] → [B, C, H, W]
    }

    /// <summary>softmax(q·kᵀ/√d)·v over heads.</summary>
    /// <param name="layout">Where in the features of a token the heads lie.</param>
    /// <param name="tokens">Queries, keys and values in one tensor [B, N, …], or queries [B, N, …], keys [B, L, …] and values [B, L, …].</param>
    /// <returns>[B, N, heads·d].</returns>
    public static Tensor Attention(AttentionLayout layout, params Tensor[] tokens)
    {
        using var scope = NewDisposeScope();
        var used = LayerPrecision.Widens(tokens[0]) ? Array.ConvertAll(tokens, part => part.to(ScalarType.Float32)) : tokens;
        if (FusedAttention.CanRun(layout, used))
        {
            return FusedAttention.Apply(layout, used).MoveToOuterDisposeScope();
        }

        var type = MixedPrecision.Current == ComputePrecision.BFloat16 ? LayerPrecision.OfProducts(used[0]) : used[0].dtype;
        return PlainAttention.Apply(layout, Array.ConvertAll(used, part => part.to(type))).to(used[0].dtype).MoveToOuterDisposeScope();
    }

    /// <summary>A group norm.</summary>
    /// <param name="input">[B, C, …].</param>
    /// <param name="norm">Weight and bias [C].</param>
    /// <returns>The shape and the type of the input.</returns>
    public static Tensor GroupNorm(Tensor input, in NormParameters norm)
    {
        var isOnCpu = input.device_type == TorchSharp.DeviceType.CPU;
        if (isOnCpu && is_grad_enabled() && !input.requires_grad && (norm.Weight.requires_grad || norm.Bias.requires_grad))
        {
            // libtorch's gradients of weight and bias alone write into memory that is not theirs where the input is in channels-last order. The views make the strides those of rows, too.
            using var copied = NewDisposeScope();
            return nn.functional.group_norm(input.contiguous().view(-1).view(input.shape), norm.Groups, norm.Weight, norm.Bias, norm.Eps).MoveToOuterDisposeScope();
        }

        if (input.dtype == norm.Weight.dtype || isOnCpu)
        {
            return nn.functional.group_norm(input, norm.Groups, norm.Weight, norm.Bias, norm.Eps); // bfloat16 images with float32 weights, too: statistics are float32
        }

        using var scope = NewDisposeScope();
        return nn.functional.group_norm(LayerPrecision.Wide(input, norm.Weight), norm.Groups, norm.Weight, norm.Bias, norm.Eps).to(input.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>A group norm, SiLU and a 3×3 convolution, of which what is between is not kept for the backward pass where a kernel runs.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="norm">Of C channels.</param>
    /// <param name="convolution">From C to O channels.</param>
    /// <param name="added">What is added to all pixels of a channel of the output, [1 or B, O], or <see langword="null"/>.</param>
    /// <returns>[B, O, H, W].</returns>
    public static Tensor NormSiluConv2d(Tensor images, in NormParameters norm, in ConvolutionParameters convolution, Tensor? added = null)
    {
        if (NormedConvolution.CanRun(images, norm, convolution))
        {
            return NormedConvolution.Apply(images, norm, convolution, added);
        }

        using var scope = NewDisposeScope();
        var output = NormConv2d(images, norm, static (normed, _) => nn.functional.silu(normed), convolution);
        return (added is null ? output : Sum(output, LayerPrecision.Wide(added, output).unsqueeze(-1).unsqueeze(-1))).MoveToOuterDisposeScope(); // [B, O] → [B, O, 1, 1]
    }

    /// <summary>A group norm, cheap operations without parameters, and a convolution. What is between is computed again in the backward pass instead of being kept, where a kernel runs the convolution.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="norm">Of C channels.</param>
    /// <param name="between">From the normalised images and the other inputs to what enters the convolution; the same each time it is run.</param>
    /// <param name="convolution">The convolution.</param>
    /// <param name="others">What <paramref name="between"/> also needs.</param>
    /// <returns>The output of the convolution.</returns>
    public static Tensor NormConv2d(Tensor images, in NormParameters norm, Func<Tensor, IReadOnlyList<Tensor>, Tensor> between, in ConvolutionParameters convolution, params Tensor[] others)
    {
        using var scope = NewDisposeScope();
        if (!is_grad_enabled() || !TileSupport.Runs || convolution.Shape.IsPointwise)
        {
            return Conv2d(between(GroupNorm(images, norm), others), convolution).MoveToOuterDisposeScope();
        }

        var numbers = norm;
        return RecomputedInput.Run(
            new FinalConvolution(convolution),
            (inputs, parameters) => [between(GroupNorm(inputs[0], numbers with { Weight = parameters[0], Bias = parameters[1] }), [.. inputs.Skip(1)])],
            [norm.Weight, norm.Bias],
            [images, .. others]).MoveToOuterDisposeScope();
    }

    /// <summary>A residual block as one operation: norm, SiLU, 3×3 convolution, the time, norm, SiLU, dropout, 3×3 convolution, plus the input.</summary>
    /// <param name="images">[B, C in, H, W].</param>
    /// <param name="time">The activated embedding of the time, [1 or B, time dimension].</param>
    /// <param name="layers">The layers.</param>
    /// <param name="dropout">The part of the values that dropout sets to 0, in [0, 1); nothing is drawn for 0.</param>
    /// <returns>[B, C out, H, W]; <see langword="null"/> where no kernel runs, and the layers have to be called one by one: nothing is drawn then.</returns>
    public static Tensor? ResidualBlock(Tensor images, Tensor time, in ResidualParameters layers, double dropout = 0)
    {
        if (!NormedResidual.CanRun(layers, images, time))
        {
            return null;
        }

        if (dropout == 0)
        {
            return NormedResidual.Apply(layers, images, time);
        }

        using var scope = NewDisposeScope();
        var mask = DropoutMask.Draw([images.size(0), layers.OutChannels, images.size(2), images.size(3)], dropout, images.device);
        return NormedResidual.Apply(layers, images, time, mask).MoveToOuterDisposeScope();
    }

    /// <summary>A self-attention block: norm, projections, attention over pixels, the last projection, plus the input.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="layers">The layers.</param>
    /// <returns>[B, C, H, W].</returns>
    public static Tensor SelfAttention(Tensor images, in SelfAttentionParameters layers) =>
        NormedAttention.CanRun(layers, images) ? NormedAttention.Apply(layers, images) : LayeredAttention.Apply(images, layers);

    /// <summary>The sum; without gradients in the place of <paramref name="values"/>, which nobody else may have.</summary>
    public static Tensor Sum(Tensor values, Tensor other) => is_grad_enabled() || other.dtype != values.dtype ? values.Plus(other) : values.add_(other, Scalars.One);

    /// <summary>A convolution of what enters it, where no kernel of this library runs.</summary>
    private static Tensor ByLibtorch(Tensor used, in ConvolutionParameters convolution, bool transposed)
    {
        var (weight, bias, shape) = (convolution.Weight, convolution.Bias, convolution.Shape);
        if (!LayerPrecision.IsNarrow(weight))
        {
            return PlainConvolution.Forward(used, weight, bias, shape, transposed);
        }

        var widens = LayerPrecision.OfProducts(used) == ScalarType.Float32;
        if ((transposed || widens) && NarrowConvolution.CanRun(used, weight, bias, shape, transposed))
        {
            return NarrowConvolution.Apply(used, weight, bias!, shape, transposed);
        }

        return widens
            ? PlainConvolution.Forward(used.to(ScalarType.Float32), weight, bias, shape, transposed).to(used.dtype)
            : PlainConvolution.Forward(used, LayerPrecision.Rounded(weight), LayerPrecision.Rounded(bias), shape, transposed);
    }
}
