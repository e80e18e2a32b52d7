namespace Diffusion.Fuzzing;

/// <summary>A reader gave something else than was written.</summary>
internal sealed class FuzzMismatchException(string message) : Exception(message);
