namespace Diffusion.Benchmarks;

/// <summary>A row: images that are measured.</summary>
/// <param name="Name">Its name and that of its file.</param>
/// <param name="Title">What is in it, for the table.</param>
/// <param name="Table">The table that it is in.</param>
/// <param name="Arguments">The options of <c>evaluate</c>, but for the images, the seed and where the figures go.</param>
/// <param name="Run">The run that draws.</param>
/// <param name="Weights">The file of the run's weights; the averaged ones by default.</param>
/// <param name="Images">Or the images, by a name of <see cref="ResultImages"/>.</param>
/// <param name="Reference">What such images are compared with, by a name of <see cref="ResultImages"/>; the test images by default.</param>
/// <param name="Seeds">The seeds of the noise, a row each; 0 alone by default.</param>
/// <param name="Hours">How long it takes, roughly, for one that has not been measured.</param>
internal sealed record PlannedRow(
    string Name, string Title, string Table, IReadOnlyList<string> Arguments, string? Run = null, string Weights = "ema.safetensors", string? Images = null, string? Reference = null, IReadOnlyList<long>? Seeds = null, double Hours = 0)
{
    /// <summary>The seed of a row that is of one seed.</summary>
    public long Seed => Seeds is [var seed] ? seed : 0;

    /// <summary>A row for each seed: the first keeps the name.</summary>
    public IEnumerable<PlannedRow> OfSeeds() => Seeds is null or [_]
        ? [this]
        : Seeds.Select((seed, i) => this with { Name = i == 0 ? Name : $"{Name}-seed-{seed}", Title = $"{Title}, seed {seed}", Seeds = [seed] });
}
