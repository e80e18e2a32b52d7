namespace Diffusion;

/// <summary>A stretch of code whose graph is walked backward once; see <see cref="BackwardPass.ExpectOne"/>.</summary>
internal readonly ref struct OneBackward
{
    private readonly bool _before;

    internal OneBackward(bool before) => _before = before;

    /// <summary>Puts the expectation of before back.</summary>
    public void Dispose() => BackwardPass.Restore(_before);
}
