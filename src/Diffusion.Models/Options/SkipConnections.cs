namespace Diffusion.Models;

/// <summary>What of the contracting path is joined to the expanding path.</summary>
public enum SkipConnections
{
    /// <summary>What enters each down block, joined to the first layer of the up block of the same depth. The default.</summary>
    Block = 0,

    /// <summary>
    /// What enters each down block and what leaves each of its layers, each joined to one layer of the up block of the same depth,
    /// which has one layer more than the down block: arXiv:2006.11239, appendix B.
    /// </summary>
    Layer = 1,
}
