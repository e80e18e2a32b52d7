namespace Diffusion;

/// <summary>How images come from a source to the trainer.</summary>
public sealed record LoaderOptions : IValidatedOptions
{
    private const int MaxPrefetched = 1024;

    /// <summary>
    /// How many batches are read ahead on a thread of their own, in [0, 1024]; 2 by default. With 0 every batch is read when it is needed, by
    /// the thread that needs it. The images are the same.
    /// </summary>
    public int Prefetch { get; init; } = 2;

    /// <summary>The order of the images; <see cref="ImageOrder.Shuffled"/> by default. Part of what a run is: resume it with the same.</summary>
    public ImageOrder Order { get; init; } = ImageOrder.Shuffled;

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. OptionsValidation.Range(Prefetch, nameof(Prefetch), 0, MaxPrefetched),
        .. Enum.IsDefined(Order) ? Array.Empty<OptionsError>()
            : [new OptionsError(nameof(Order), $"must be one of {string.Join(", ", Enum.GetNames<ImageOrder>())}; it is {(int)Order}.")],
    ];
}
