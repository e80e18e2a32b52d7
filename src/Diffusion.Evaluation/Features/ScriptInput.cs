using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>What a network of a TorchScript file is given for images.</summary>
internal sealed class ScriptInput
{
    private readonly ImageShape _images;
    private readonly ScriptFeaturesOptions _options;

    public ScriptInput(ImageShape images, ScriptFeaturesOptions options)
    {
        (_images, _options) = (images, options);
        Channels = options.Channels ?? images.Channels;
        if (images.Channels < 1 || images.Height < 1 || images.Width < 1)
        {
            throw new ArgumentException($"Images of {images} have no pixels.", nameof(images));
        }

        if (Channels != images.Channels && images.Channels != 1)
        {
            throw new ArgumentException($"The network takes {Channels} channel(s), and the images are {images}: only grey ones are repeated. Convert the images first.", nameof(images));
        }

        CheckLength(options.Mean, nameof(options.Mean));
        CheckLength(options.StandardDeviation, nameof(options.StandardDeviation));
    }

    /// <summary>Of the network.</summary>
    public int Channels { get; }

    /// <summary>The shape of the images.</summary>
    public ImageShape Images => _images;

    /// <summary>Throws where images have another shape or type.</summary>
    public void Check(Tensor images, string name)
    {
        ArgumentNullException.ThrowIfNull(images, name);
        if (images.dtype != ScalarType.Byte || images.dim() != 4 || images.shape[0] == 0 || !images.shape.AsSpan().SequenceEqual(_images.Batch(images.shape[0])))
        {
            throw new ArgumentException($"{name} is {images.dtype} [{string.Join(", ", images.shape)}]; the network was loaded for uint8 of [B, {_images.Channels}, {_images.Height}, {_images.Width}], 0 to 255, with B at least 1.", name);
        }
    }

    /// <summary>The input of the network, for the caller to dispose.</summary>
    public Tensor Of(Tensor images, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var values = _options.Size is { } size ? ImageResize.To(images, size, size, _options.Resizing) : images;
        values = values.to(type);
        if (_options.Scale != 1)
        {
            using var scale = _options.Scale.ToScalar();
            values = values * scale;
        }

        values = _options.Mean.Count == 0 ? values : values - ByChannel(_options.Mean, type);
        values = _options.StandardDeviation.Count == 0 ? values : values / ByChannel(_options.StandardDeviation, type);
        return values.expand(-1, Channels, -1, -1).contiguous().MoveToOuterDisposeScope();
    }

    private static Tensor ByChannel(IReadOnlyList<double> numbers, ScalarType type) => tensor([.. numbers], type).view(1, -1, 1, 1);

    private void CheckLength(IReadOnlyList<double> numbers, string name)
    {
        if (numbers.Count > 1 && numbers.Count != Channels)
        {
            throw new ArgumentException($"{name} has {numbers.Count} numbers; 1 is needed, or one for each of the {Channels} channels of the network.", name);
        }
    }
}
