namespace Diffusion.Models;

/// <summary>Tokens in memory: images of rows of features.</summary>
/// <param name="Data">The first feature.</param>
/// <param name="Images">How many images.</param>
/// <param name="Rows">The tokens of an image.</param>
/// <param name="ImageStep">The floats from an image to the next.</param>
/// <param name="RowStep">The floats from a token to the next.</param>
/// <param name="FeatureStep">The floats from a feature to the next.</param>
internal readonly unsafe record struct TokenRows(nint Data, int Images, int Rows, long ImageStep, int RowStep, int FeatureStep)
{
    /// <summary>A feature.</summary>
    public float* At(int image, int row, int feature = 0) => (float*)Data + (image * ImageStep) + ((long)row * RowStep) + ((long)feature * FeatureStep);
}
