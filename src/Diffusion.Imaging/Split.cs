namespace Diffusion.Imaging;

/// <summary>Which part of a data set that its authors divided.</summary>
public enum Split
{
    /// <summary>The part to train on.</summary>
    Train,

    /// <summary>The part kept for testing.</summary>
    Test,
}
