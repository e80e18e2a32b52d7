namespace Diffusion.Models;

/// <summary>How much a dictionary of tensors is like a network's.</summary>
internal enum NetworkLikeness
{
    /// <summary>Not at all: means and deviations are tensors by name, too.</summary>
    None,

    /// <summary>There are tensors of several dimensions.</summary>
    Dimensions,

    /// <summary>There are names with dots, those of modules in modules.</summary>
    Dots,
}
