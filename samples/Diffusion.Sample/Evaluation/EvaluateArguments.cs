namespace Diffusion.Sample;

/// <summary>What the command line says of an evaluation.</summary>
/// <param name="Drawing">What to draw, and how; <see langword="null"/> where images are given.</param>
/// <param name="Images">A folder or a file of images; <see langword="null"/> where they are drawn.</param>
/// <param name="Reference">The images to compare with; <see langword="null"/> for those of the run.</param>
/// <param name="HeldBack">Whether those are the training images that are held back.</param>
/// <param name="Features">The features; <see langword="null"/> for those of the reference.</param>
/// <param name="FeaturesOptions">A file that says what a TorchScript network takes; <see langword="null"/> for images as they are.</param>
/// <param name="Figures">What is measured; <see langword="null"/> for everything that can be.</param>
/// <param name="Batch">How many images are drawn at once; <see langword="null"/> for the run's batch.</param>
/// <param name="Likelihood">Of how many images the likelihood is measured; <see langword="null"/> for none.</param>
/// <param name="Keep">The folder for the drawn images; <see langword="null"/> where they are not kept.</param>
/// <param name="Cache">The folder for statistics of references; <see langword="null"/> for <see cref="StatisticsCache.Default"/>, where the system knows such a folder.</param>
/// <param name="Codec">What decodes image files.</param>
/// <param name="Out">The file for the figures.</param>
internal sealed record EvaluateArguments(
    DrawingArguments? Drawing, string? Images, string? Reference, bool HeldBack, string? Features, string? FeaturesOptions,
    IReadOnlyList<string>? Figures, int? Batch, int? Likelihood, string? Keep, string? Cache, string? Codec, string Out);
