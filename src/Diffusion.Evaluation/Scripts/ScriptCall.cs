namespace Diffusion.Evaluation;

/// <summary>A call of an operator of libtorch in the code of a TorchScript file.</summary>
/// <param name="Operator">With its namespace: <c>aten::relu</c>.</param>
/// <param name="Start">Where the call begins.</param>
/// <param name="End">Behind its closing parenthesis.</param>
/// <param name="Statement">Where the statement begins that it is part of, with its indentation.</param>
internal readonly record struct ScriptCall(string Operator, int Start, int End, int Statement);
