namespace Diffusion.Evaluation;

/// <summary>Takes the values of one row and some columns in a row. The columns of a row come in their order, on one thread at a time; different rows come on several threads.</summary>
/// <param name="row">The row.</param>
/// <param name="first">The first of the columns.</param>
/// <param name="values">A value for each column, to read and to overwrite.</param>
internal delegate void PairVisitor(int row, int first, Span<double> values);
