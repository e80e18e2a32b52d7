namespace Diffusion;

/// <summary>A stretch of code in which <see cref="LayerSeeds"/> come from one place.</summary>
internal readonly ref struct LayerSeedSource
{
    private readonly Func<LayerSeed>? _before;

    internal LayerSeedSource(Func<LayerSeed>? before) => _before = before;

    /// <summary>Puts the place of before back.</summary>
    public void Dispose() => LayerSeeds.Restore(_before);
}
