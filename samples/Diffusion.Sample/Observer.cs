namespace Diffusion.Sample;

/// <summary>Passes progress on at once and on the same thread, unlike <see cref="Progress{T}"/>.</summary>
internal sealed class Observer<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
