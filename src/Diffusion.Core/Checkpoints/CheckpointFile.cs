namespace Diffusion;

/// <summary>A file of a checkpoint.</summary>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">Its SHA-256 hash, hexadecimal.</param>
internal sealed record CheckpointFile(long Bytes, string Sha256);
