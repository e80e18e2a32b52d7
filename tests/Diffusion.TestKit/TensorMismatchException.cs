namespace Diffusion;

/// <summary>Two tensors are not what a test needs them to be.</summary>
/// <param name="message">What differs, by how much and where.</param>
public sealed class TensorMismatchException(string message) : Exception(message);
