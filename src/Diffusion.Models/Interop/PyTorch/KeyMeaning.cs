namespace Diffusion.Models;

/// <summary>What a key says about its value.</summary>
internal enum KeyMeaning
{
    /// <summary>Nothing.</summary>
    Any,

    /// <summary>One of its words is that of something other than a network: random_unet.</summary>
    Perhaps,

    /// <summary>All of it is: rng_state.</summary>
    Other,

    /// <summary>All of it is an optimizer's: optimizer_state_dict.</summary>
    Optimizer,
}
