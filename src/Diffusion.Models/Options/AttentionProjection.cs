namespace Diffusion.Models;

/// <summary>How self-attention holds the weights that make queries, keys and values.</summary>
public enum AttentionProjection
{
    /// <summary>One matrix, whose rows are all queries, then all keys, then all values. The default.</summary>
    Joint = 0,

    /// <summary>One matrix, whose rows are the query, key and value of the first head, then of the second, and so on.</summary>
    JointByHead = 1,

    /// <summary>Three matrices.</summary>
    Separate = 2,
}
