namespace Diffusion;

/// <summary>How the learning rate changes over a run. The default is constant from the first step.</summary>
public sealed record LearningRateOptions : IValidatedOptions
{
    /// <summary>The shape after the warm-up; constant by default.</summary>
    public LearningRateShape Shape { get; init; } = LearningRateShape.Constant;

    /// <summary>Steps in which the rate grows evenly from near 0 to its full value, at least 0; 0 by default.</summary>
    public int WarmUpSteps { get; init; }

    /// <summary>The share of the rate that is left at the end of the run, in [0, 1]; 0 by default. For <see cref="LearningRateShape.Cosine"/> and linear.</summary>
    public double FinalShare { get; init; }

    /// <summary>The step up to which an inverse square root stays at its full value, at least 1; 1000 by default.</summary>
    public int ReferenceStep { get; init; } = 1000;

    /// <summary>The share of the learning rate in a step.</summary>
    /// <param name="step">The step, from 1.</param>
    /// <param name="total">The steps of the whole run, at least 1.</param>
    /// <returns>In [0, 1]; above 0 in the last step too where something follows it.</returns>
    public double ShareAt(int step, int total)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(total, 1);
        if (step <= WarmUpSteps)
        {
            return (double)step / (WarmUpSteps + 1);
        }

        var passed = Math.Min(1, (step - 1.0 - WarmUpSteps) / Math.Max(1, total - WarmUpSteps));
        return Shape switch
        {
            LearningRateShape.Cosine => FinalShare + ((1 - FinalShare) * (1 + Math.Cos(Math.PI * passed)) / 2),
            LearningRateShape.Linear => 1 - ((1 - FinalShare) * passed),
            LearningRateShape.InverseSquareRoot => Math.Min(1, Math.Sqrt((double)ReferenceStep / step)),
            _ => 1,
        };
    }

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. OptionsValidation.Range(WarmUpSteps, nameof(WarmUpSteps), 0),
        .. OptionsValidation.Range(FinalShare, nameof(FinalShare), 0, 1.0),
        .. OptionsValidation.Range(ReferenceStep, nameof(ReferenceStep), 1),
        .. Enum.IsDefined(Shape) ? Array.Empty<OptionsError>() : [new OptionsError(nameof(Shape), $"must be one of {string.Join(", ", Enum.GetNames<LearningRateShape>())}; it is {Shape}.")],
    ];
}
