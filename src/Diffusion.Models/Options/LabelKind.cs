namespace Diffusion.Models;

/// <summary>How a label becomes a vector that is added to the time embedding.</summary>
public enum LabelKind
{
    /// <summary>A learned row of a table for each class. The default.</summary>
    Table = 0,

    /// <summary>Embedded like a timestep, with linear maps of its own: a label is a number.</summary>
    Timestep = 1,

    /// <summary>As it is: a label is a vector of the width of the time embedding.</summary>
    Identity = 2,
}
