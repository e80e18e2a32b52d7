namespace Diffusion.Sample;

/// <summary>The command line or the configuration asks for something that cannot be done.</summary>
internal sealed class UsageException(string message) : Exception(message);
