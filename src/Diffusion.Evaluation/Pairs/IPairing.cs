using System.Runtime.Intrinsics;

namespace Diffusion.Evaluation;

/// <summary>How two rows of features become one number, a sum over the features. A value, so that the loop is compiled for each.</summary>
internal interface IPairing
{
    /// <summary>The sums with a feature more.</summary>
    /// <param name="row">The feature of a row, in every lane.</param>
    /// <param name="columns">The same feature of eight columns.</param>
    /// <param name="sums">The sums so far.</param>
    static abstract Vector512<double> Add(Vector512<double> row, Vector512<double> columns, Vector512<double> sums);
}
