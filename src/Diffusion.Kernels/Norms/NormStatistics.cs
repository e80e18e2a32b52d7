namespace Diffusion.Kernels;

/// <summary>What a group norm does to the channels of images, and why: memory for <see cref="GroupMoments{TVector}.Find"/>.</summary>
internal readonly unsafe struct NormStatistics
{
    private readonly int _channels;

    /// <summary>Takes the memory.</summary>
    /// <param name="scratch">Where from.</param>
    /// <param name="images">How many images.</param>
    /// <param name="norm">Channels and groups.</param>
    public NormStatistics(TileScratch scratch, int images, NormParameters norm)
    {
        _channels = norm.Channels;
        Scales = scratch.Take((long)images * norm.Channels);
        Shifts = scratch.Take((long)images * norm.Channels);
        Moments = scratch.Take(2L * images * norm.Groups);
    }

    /// <summary>The factor of each channel of each image, [images, channels].</summary>
    public float* Scales { get; }

    /// <summary>The summand after it, [images, channels].</summary>
    public float* Shifts { get; }

    /// <summary>The mean and one over the deviation of each group of each image, [images, groups, 2].</summary>
    public float* Moments { get; }

    /// <summary>The memory that is taken.</summary>
    public static long Floats(int images, NormParameters norm) => (2 * TileScratch.Rounded((long)images * norm.Channels)) + TileScratch.Rounded(2L * images * norm.Groups);

    /// <summary>Them as a map of pixels.</summary>
    /// <param name="activates">Whether SiLU follows.</param>
    /// <param name="kept">What dropout does after it.</param>
    public ChannelMap Map(bool activates, KeptValues kept = default) => new(Scales, Shifts, _channels, activates, kept);
}
