using System.Text.Json.Nodes;

namespace Diffusion.Models;

/// <summary>Block lists of known networks.</summary>
public static class UNetPresets
{
    /// <summary>
    /// The network of the course "Implementing Denoising Diffusion Models" (explainingai-code/DDPM-Pytorch, models/unet_base.py) with its
    /// MNIST settings: self-attention in every layer, 4×4 down- and upsampling, a projected shortcut in every residual block, PyTorch's
    /// default initialisation. Its weights load through <see cref="KeyMap.Course"/>.
    /// </summary>
    /// <param name="image">The shape of the images; 1×28×28 for MNIST.</param>
    /// <param name="downChannels">The stem and the width of each down block; 32, 64, 128, 256 by default.</param>
    /// <param name="midChannels">What enters the bottom and leaves each of its blocks; 256, 256, 128 by default.</param>
    /// <param name="downsample">Whether each down block halves its image; yes, yes, no by default.</param>
    /// <param name="timeDimension">The width of the time embedding; 128 by default.</param>
    /// <param name="downLayers">Layers in each down block; 2 by default.</param>
    /// <param name="midLayers">Layers in each mid block; 2 by default.</param>
    /// <param name="upLayers">Layers in each up block; 2 by default.</param>
    /// <returns>The block list.</returns>
    /// <exception cref="ArgumentException">The lists do not fit together: the widths of the course's network depend on each other.</exception>
    public static UNetOptions Course(
        ImageShape image,
        IReadOnlyList<int>? downChannels = null,
        IReadOnlyList<int>? midChannels = null,
        IReadOnlyList<bool>? downsample = null,
        int timeDimension = 128,
        int downLayers = 2,
        int midLayers = 2,
        int upLayers = 2)
    {
        const int lastChannels = 16;
        downChannels ??= [32, 64, 128, 256];
        midChannels ??= [256, 256, 128];
        downsample ??= [true, true, false];
        if (downChannels.Count < 2 || downsample.Count != downChannels.Count - 1)
        {
            throw new ArgumentException($"There is one downsample for each down block after the stem; {downsample.Count} were given for {downChannels.Count} widths.", nameof(downsample));
        }

        if (midChannels.Count < 1 || midChannels[0] != downChannels[^1] || midChannels[^1] != downChannels[^2])
        {
            throw new ArgumentException($"The bottom begins with the last down width, {downChannels[^1]}, and ends with the one before, {downChannels[^2]}; it is {string.Join(", ", midChannels)}.", nameof(midChannels));
        }

        return new UNetOptions
        {
            Image = image,
            StemChannels = downChannels[0],
            Down = [.. downsample.Select((halves, i) => new DownBlockOptions { Channels = downChannels[i + 1], Layers = downLayers, Attention = true, Downsample = halves })],
            Mid = [.. midChannels.Skip(1).Select(channels => new MidBlockOptions { Channels = channels, Layers = midLayers })],
            Up = [.. Enumerable.Range(0, downsample.Count).Reverse().Select(i => new UpBlockOptions { Channels = i == 0 ? lastChannels : downChannels[i - 1], Layers = upLayers, Attention = true })],
            TimeDimension = timeDimension,
            Downsampling = Downsampling.Convolution4,
            Upsampling = Upsampling.Transposed,
            AlwaysProjectShortcut = true,
            ZeroInitialize = false,
        };
    }

    /// <summary>The network that DDPM trained on CIFAR-10: 35.7 million parameters, attention at 16×16, dropout 0.1.</summary>
    /// <returns>The block list, for images of 3×32×32.</returns>
    /// <remarks>
    /// Denoising Diffusion Probabilistic Models, arXiv:2006.11239, appendix B. As google/ddpm-cifar10-32 in diffusers, with dropout: its weights
    /// load through <see cref="DiffusersUNet"/>.
    /// </remarks>
    public static UNetOptions DdpmCifar10()
    {
        (int Channels, bool Attention)[] levels = [(128, false), (256, true), (256, false), (256, false)];
        return new UNetOptions
        {
            Image = new ImageShape(3, 32, 32),
            StemChannels = 128,
            Down = [.. levels.Select((level, i) => new DownBlockOptions { Channels = level.Channels, Attention = level.Attention, Heads = 1, Downsample = i < 3 })],
            Mid = [new() { Channels = 256, Heads = 1 }],
            TimeDimension = 512,
            NormGroups = 32,
            Downsampling = Downsampling.Convolution3BottomRight,
            Dialect = new UNetDialect
            {
                Residual = new() { NormEps = 1e-6, Dropout = 0.1 },
                Attention = new() { Projection = AttentionProjection.Separate },
                Time = new() { Width = 128, FrequencyShift = 1 },
                Skips = SkipConnections.Layer,
            },
        };
    }

    /// <summary>The networks of improved-diffusion, with a learned variance: for CIFAR-10 (32), ImageNet (64) or LSUN (256).</summary>
    /// <param name="size">The height and width: 32, 64 or 256.</param>
    /// <param name="classes">The number of classes; <see langword="null"/> (default) without labels.</param>
    /// <returns>The block list, for RGB images.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no network for this size.</exception>
    /// <remarks>Improved Denoising Diffusion Probabilistic Models, arXiv:2102.09672, and the command lines of openai/improved-diffusion.</remarks>
    public static UNetOptions ImprovedDiffusion(int size, int? classes = null) => new OpenAIArguments
    {
        ImageSize = size,
        InChannels = 3,
        ModelChannels = 128,
        OutChannels = 6,
        ResBlocks = size == 256 ? 2 : 3,
        AttentionResolutions = size == 256 ? [16] : [size / 16, size / 8],
        ChannelMult = size switch
        {
            32 => [1, 2, 2, 2],
            64 => [1, 2, 3, 4],
            256 => [1, 1, 2, 2, 4, 4],
            _ => throw new ArgumentOutOfRangeException(nameof(size), size, "There is a network for 32, 64 and 256."),
        },
        Dropout = size == 32 ? 0.3 : 0,
        Heads = size == 256 ? 1 : 4,
        ScaleShift = size != 256,
        Classes = classes,
    }.ToOptions();

    /// <summary>The networks of guided-diffusion (ADM) for ImageNet, with a learned variance.</summary>
    /// <param name="size">The height and width: 64, 128, 256 or 512.</param>
    /// <param name="classes">The number of classes, 1000 for ImageNet; <see langword="null"/> (default) without labels.</param>
    /// <returns>The block list, for RGB images.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no network for this size.</exception>
    /// <remarks>Diffusion Models Beat GANs on Image Synthesis, arXiv:2105.05233, and the command lines of openai/guided-diffusion.</remarks>
    public static UNetOptions GuidedDiffusion(int size, int? classes = null) => new OpenAIArguments
    {
        ImageSize = size,
        InChannels = 3,
        ModelChannels = size == 64 ? 192 : 256,
        OutChannels = 6,
        ResBlocks = size == 64 ? 3 : 2,
        AttentionResolutions = [size / 32, size / 16, size / 8],
        ChannelMult = size switch
        {
            64 => [1, 2, 3, 4],
            128 => [1, 1, 2, 3, 4],
            256 => [1, 1, 2, 2, 4, 4],
            512 => [0.5, 1, 1, 2, 2, 4, 4],
            _ => throw new ArgumentOutOfRangeException(nameof(size), size, "There is a network for 64, 128, 256 and 512."),
        },
        Dropout = size == 64 ? 0.1 : 0,
        Heads = 4,
        HeadChannels = size == 128 ? -1 : 64,
        ScaleShift = true,
        ResidualResampling = true,
        NewAttentionOrder = size == 64,
        Classes = classes,
    }.ToOptions();

    /// <summary>The network that diffusers makes by default, <c>UNet2DModel()</c>, whose blocks have 224, 448, 672 and 896 channels: 274 million parameters at every size. Smaller ones: <see cref="Diffusers(ImageShape, IReadOnlyList{int})"/>.</summary>
    /// <param name="image">The shape of the images; the sides are multiples of 8 there, and any size here.</param>
    /// <returns>The block list.</returns>
    public static UNetOptions Diffusers(ImageShape image) => Diffusers(image, [224, 448, 672, 896]);

    /// <summary>The network <c>UNet2DModel(block_out_channels=channels)</c> of diffusers with blocks as by default: two layers each, attention in all but the first. With 32, 32 and 64 channels 1.2 million parameters, with 64, 128 and 256 16 million.</summary>
    /// <param name="image">The shape of the images; in diffusers each block but the last must be able to halve the sides, here any size will do.</param>
    /// <param name="channels">The channels of each block, multiples of 32; each block but the last halves the image.</param>
    /// <returns>The block list.</returns>
    /// <exception cref="ArgumentException">There is no such network: no block, or channels that are no multiple of 32.</exception>
    public static UNetOptions Diffusers(ImageShape image, IReadOnlyList<int> channels)
    {
        ArgumentNullException.ThrowIfNull(channels);
        var config = new JsonObject
        {
            ["block_out_channels"] = new JsonArray([.. channels.Select(width => (JsonNode)width)]),
            ["down_block_types"] = new JsonArray([.. channels.Select((_, i) => (JsonNode)(i == 0 ? "DownBlock2D" : "AttnDownBlock2D"))]),
            ["up_block_types"] = new JsonArray([.. channels.Select((_, i) => (JsonNode)(i == channels.Count - 1 ? "UpBlock2D" : "AttnUpBlock2D"))]),
        };
        try
        {
            return DiffusersUNet.Parse(config.ToJsonString()).Options with { Image = image };
        }
        catch (InvalidDataException e)
        {
            throw new ArgumentException(e.Message, nameof(channels), e);
        }
    }

    /// <summary>The network of Stable Diffusion 1, for latent images of four channels and a context of 768 features: 860 million parameters.</summary>
    /// <returns>The block list, for latents of 4×64×64, those of images of 512×512.</returns>
    /// <remarks>High-Resolution Image Synthesis with Latent Diffusion Models, arXiv:2112.10752. Its weights in diffusers load through <see cref="DiffusersUNet"/>.</remarks>
    public static UNetOptions StableDiffusion1() => DiffusersUNet.Parse("""{"_class_name": "UNet2DConditionModel", "sample_size": 64, "cross_attention_dim": 768}""").Options;

    /// <summary>The network of Stable Diffusion 2, for latent images of four channels and a context of 1024 features: 866 million parameters.</summary>
    /// <returns>The block list, for latents of 4×64×64, those of images of 512×512.</returns>
    /// <remarks>As <see cref="StableDiffusion1"/>, with heads of 64 channels and the text model of OpenCLIP.</remarks>
    public static UNetOptions StableDiffusion2() => DiffusersUNet.Parse(
        """{"_class_name": "UNet2DConditionModel", "sample_size": 64, "cross_attention_dim": 1024, "attention_head_dim": [5, 10, 20, 20], "use_linear_projection": true}""").Options;
}
