using System.Text.Json.Serialization;

namespace Diffusion.Models;

/// <summary>
/// A U-Net as data: what <see cref="UNetBuilder"/> collects and configuration files hold. Down blocks run from the full image to the
/// bottom, up blocks from the bottom to the full image. The image that enters down block <c>i</c> is joined to up block <c>n − 1 − i</c>.
/// </summary>
/// <remarks>Denoising Diffusion Probabilistic Models, arXiv:2006.11239, appendix B; U-Net: arXiv:1505.04597.</remarks>
public sealed record UNetOptions : IValidatedOptions
{
    /// <summary>The shape of the images; in a configuration file it follows from the data.</summary>
    [JsonIgnore]
    public ImageShape Image { get; init; } = new(1, 28, 28);

    /// <summary>The channels after the first convolution; <see langword="null"/> (default): those of the first down block.</summary>
    public int? StemChannels { get; init; }

    /// <summary>The contracting path, at least one block.</summary>
    public IReadOnlyList<DownBlockOptions> Down { get; init; } = [];

    /// <summary>The bottom; may be empty.</summary>
    public IReadOnlyList<MidBlockOptions> Mid { get; init; } = [];

    /// <summary>The expanding path, as many blocks as <see cref="Down"/>; empty (default): the mirror image of <see cref="Down"/>.</summary>
    public IReadOnlyList<UpBlockOptions> Up { get; init; } = [];

    /// <summary>The width of the time embedding, even; 128 by default.</summary>
    public int TimeDimension { get; init; } = 128;

    /// <summary>The groups of every group normalisation; they divide all widths. 8 by default.</summary>
    public int NormGroups { get; init; } = 8;

    /// <summary>How down blocks halve the image.</summary>
    public Downsampling Downsampling { get; init; } = Downsampling.Convolution3;

    /// <summary>How up blocks double the image.</summary>
    public Upsampling Upsampling { get; init; } = Upsampling.Nearest;

    /// <summary>Whether residual blocks that keep their width have a 1×1 convolution on the shortcut, too; off by default.</summary>
    public bool AlwaysProjectShortcut { get; init; }

    /// <summary>
    /// Whether the last convolution of each residual block, the output of each attention and the last convolution of the network start at
    /// zero, so that training starts from the identity; on by default.
    /// </summary>
    public bool ZeroInitialize { get; init; } = true;

    /// <summary>Everything else that networks of the same block list differ in.</summary>
    public UNetDialect Dialect { get; init; } = new();

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() => UNetValidation.Errors(this);
}
