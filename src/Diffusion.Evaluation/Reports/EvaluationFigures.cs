namespace Diffusion.Evaluation;

/// <summary>What an evaluation measures, by the names of <see cref="EvaluationOptions.FigureNames"/>.</summary>
[Flags]
internal enum EvaluationFigures
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The Fréchet distance to the reference; with training images also that of as many of them, the floor, and the excess over it. Needs a reference, or its statistics alone.</summary>
    FrechetDistance = 1,

    /// <summary>The kernel distance (KID). Needs a reference.</summary>
    KernelDistance = 2,

    /// <summary>Precision and recall. Need a reference.</summary>
    PrecisionRecall = 4,

    /// <summary>Density and coverage. Need a reference.</summary>
    DensityCoverage = 8,

    /// <summary>The Inception score. Needs a classifier.</summary>
    InceptionScore = 16,

    /// <summary>How many images show the class that was asked for. Needs a classifier, and labels.</summary>
    Labels = 32,

    /// <summary>How near the images are to the training images, beside the reference's images where there are any. Needs training images.</summary>
    NearestImages = 64,

    /// <summary>All of them.</summary>
    All = FrechetDistance | KernelDistance | PrecisionRecall | DensityCoverage | InceptionScore | Labels | NearestImages,
}
