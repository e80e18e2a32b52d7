namespace Diffusion.Evaluation;

/// <summary>What a classifier's file holds. Owns the weights.</summary>
/// <param name="Name">What the classifier is called, without the hash.</param>
/// <param name="ClassNames">By label.</param>
/// <param name="About">How it was made.</param>
/// <param name="Weights">By the names of the network.</param>
internal sealed record ClassifierContent(string Name, IReadOnlyList<string> ClassNames, IReadOnlyDictionary<string, string> About, TensorDictionary Weights) : IDisposable
{
    public void Dispose() => Weights.Dispose();
}
