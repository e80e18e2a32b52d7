namespace Diffusion;

/// <summary>Options that find all of their mistakes, each alone and against each other.</summary>
internal interface IValidatedOptions
{
    /// <summary>Every mistake.</summary>
    /// <returns>Empty where there is none.</returns>
    IEnumerable<OptionsError> Validate();
}
