namespace Diffusion.Kernels;

/// <summary>What is done to images on the way into a convolution and out of it.</summary>
internal readonly unsafe struct ConvolutionEnds
{
    /// <summary>What is done to the input.</summary>
    public ChannelMap Map { get; init; }

    /// <summary>What is added to the channels of the output, [channels], or [images, channels]; null for nothing.</summary>
    public float* Bias { get; init; }

    /// <summary>The floats of the bias from an image to the next: 0 where it is the same for all.</summary>
    public int BiasStep { get; init; }

    /// <summary>Images in the shape and the type of the output, which are added to it; 0 for none. They may be the output itself.</summary>
    public nint Added { get; init; }

    /// <summary>What is added to the channels of an image.</summary>
    public float* BiasOf(int image) => Bias == null ? null : Bias + ((long)image * BiasStep);

    /// <summary>The same for some channels of the output.</summary>
    public ConvolutionEnds Slice(WinogradImages output, int firstChannel) => this with
    {
        Bias = Bias == null ? null : Bias + firstChannel,
        Added = Added == 0 ? 0 : output.At(Added, firstChannel),
    };
}
