namespace Diffusion;

/// <summary>A stretch of code with a precision of its own; see <see cref="MixedPrecision.Use"/>.</summary>
internal readonly ref struct PrecisionScope
{
    private readonly ComputePrecision _before;

    internal PrecisionScope(ComputePrecision before) => _before = before;

    /// <summary>Puts the precision of before back.</summary>
    public void Dispose() => MixedPrecision.Restore(_before);
}
