namespace Diffusion.Kernels;

/// <summary>Tokens in memory: images of rows of values.</summary>
/// <param name="Data">The first value.</param>
/// <param name="IsNarrow">Whether values are bfloat16, or else floats.</param>
/// <param name="Images">How many images.</param>
/// <param name="Rows">The tokens of an image.</param>
/// <param name="ImageStep">The values from an image to the next.</param>
/// <param name="RowStep">The values from a token to the next.</param>
/// <param name="ValueStep">The values from a value of a token to the next; 1 in bfloat16.</param>
internal readonly unsafe record struct TokenRows(nint Data, bool IsNarrow, int Images, int Rows, long ImageStep, int RowStep, int ValueStep)
{
    /// <summary>The first value of a token.</summary>
    public void* At(int image, int row) => (void*)(Data + (nint)(((image * ImageStep) + ((long)row * RowStep)) * (IsNarrow ? sizeof(ushort) : sizeof(float))));
}
