using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Diffusion.Conventions.Tests.Rules;

/// <summary>Tensors have a type of their own, and not the one that a program may have set with <c>torch.set_default_dtype</c>.</summary>
internal static class DefaultTypeRules
{
    /// <summary>Functions of torch that take the default type where they are given none. <c>tensor</c> takes that of its numbers.</summary>
    private static readonly HashSet<string> s_functions = ["zeros", "ones", "empty", "empty_strided", "full", "rand", "randn", "randint", "normal", "arange", "linspace", "logspace", "eye", "hann_window", "hamming_window"];

    /// <summary>Calls of them without a type.</summary>
    public static IEnumerable<string> WithoutType(IEnumerable<SourceFile> files) =>
        from file in files
        from call in file.All<InvocationExpressionSyntax>()
        where IsOfTorch(call.Expression) && !call.ArgumentList.Arguments.Any(IsType)
        select file.At(call.GetLocation(), call.ToString());

    private static bool IsOfTorch(ExpressionSyntax function) => function switch
    {
        IdentifierNameSyntax name => s_functions.Contains(name.Identifier.Text),
        MemberAccessExpressionSyntax { Expression: IdentifierNameSyntax { Identifier.Text: "torch" } } member => s_functions.Contains(member.Name.Identifier.Text),
        _ => false,
    };

    private static bool IsType(ArgumentSyntax argument) => argument.NameColon?.Name.Identifier.Text == "dtype" || IsType(argument.Expression);

    private static bool IsType(ExpressionSyntax value) => value switch
    {
        ConditionalExpressionSyntax either => IsType(either.WhenTrue) && IsType(either.WhenFalse),
        MemberAccessExpressionSyntax { Expression: IdentifierNameSyntax { Identifier.Text: "ScalarType" } } => true,
        MemberAccessExpressionSyntax member => member.Name.Identifier.Text is "Type" or "dtype",
        IdentifierNameSyntax name => name.Identifier.Text is "type" or "dtype",
        _ => false,
    };
}
