namespace Diffusion;

/// <summary>What one call of a layer that draws random numbers draws from.</summary>
/// <param name="Value">The seed of the call.</param>
/// <param name="FirstImage">The number, within the batch of the step, of the first image that the layer is given: each image has its own numbers.</param>
internal readonly record struct LayerSeed(ulong Value, long FirstImage);
