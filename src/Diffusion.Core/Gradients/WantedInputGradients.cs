namespace Diffusion;

/// <summary>A stretch of code in which gradients reach the input of denoisers; see <see cref="InputGradients.Want"/>.</summary>
internal readonly ref struct WantedInputGradients
{
    private readonly List<Action>? _before;

    internal WantedInputGradients(List<Action>? before) => _before = before;

    /// <summary>Ends the evaluations, and lets no gradients through from here on.</summary>
    public void Dispose() => InputGradients.Restore(_before);
}
