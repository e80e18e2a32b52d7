namespace Diffusion.Evaluation;

/// <summary>How images are resized.</summary>
public enum ImageResizing
{
    /// <summary>Bicubic, antialiased, as Pillow does on float images, clipped to [0, 255], not rounded: clean-fid.</summary>
    PillowBicubic,

    /// <summary>Bilinear without antialiasing, half-pixel centres: torch, pytorch-fid.</summary>
    TorchBilinear,

    /// <summary>Bilinear without antialiasing and without half-pixel centres: TensorFlow 1, torch-fidelity.</summary>
    TensorFlowBilinear,
}
