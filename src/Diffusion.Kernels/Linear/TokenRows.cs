namespace Diffusion.Kernels;

/// <summary>Tokens in memory: images of rows of words, which are features, or two neighbouring features in bfloat16.</summary>
/// <param name="Data">The first word.</param>
/// <param name="Images">How many images.</param>
/// <param name="Rows">The tokens of an image.</param>
/// <param name="ImageStep">The words from an image to the next.</param>
/// <param name="RowStep">The words from a token to the next.</param>
/// <param name="WordStep">The words from a word of a token to the next.</param>
internal readonly unsafe record struct TokenRows(nint Data, int Images, int Rows, long ImageStep, int RowStep, int WordStep)
{
    /// <summary>A word.</summary>
    public uint* At(int image, int row, int word = 0) => (uint*)Data + (image * ImageStep) + ((long)row * RowStep) + ((long)word * WordStep);
}
