namespace Diffusion.Models;

/// <summary>A block of a summary.</summary>
/// <param name="Block">Its name, as in the state dictionary.</param>
/// <param name="Output">The shape that leaves it; of an embedding its width × 1 × 1.</param>
/// <param name="Parameters">Its trainable parameters.</param>
/// <param name="MultiplyAdds">Its multiply-adds for one image.</param>
internal sealed record UNetSummaryRow(string Block, ImageShape Output, long Parameters, long MultiplyAdds);
