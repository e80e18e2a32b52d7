using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Diffusion.Conventions.Tests.Rules;

/// <summary>The words of papers, PyTorch and diffusers, in place of words of our own.</summary>
internal static partial class WordRules
{
    /// <summary>Words in names that have a standard one.</summary>
    private static readonly (Regex Bad, string Instead)[] Names =
    [
        (LeastOrMost(), "Min or Max"),
        (Named("KeepParallel"), "Eta"),
        (Named("SecondScale"), "SolverType"),
        (Named("UncorrectedSteps"), "DisableCorrector"),
        (Named("OfImages"), "PerSample"),
        (Named("Labelled|Unlabelled"), "Conditional, Unconditional"),
        (Named("LabelDropout"), "ConditionDropout"),
    ];

    /// <summary>Phrases in comments and documents that have a standard one.</summary>
    private static readonly (Regex Bad, string Instead)[] Phrases =
    [
        (Phrase("(is|are|be|was|were) told (a |the |its )?(class |classes|labels?|context|condition)"), "class-conditional; takes labels"),
        (Phrase("gives? back|giving back"), "releases or returns"),
        (Phrase("numbers? of the (weights?|network)"), "parameters"),
        (Phrase("(live|leaked|new) objects"), "allocations"),
        (Phrase("trainable numbers"), "trainable parameters"),
        (Phrase("x̂₀ times a number"), "x̂₀ times a scalar"),
    ];

    /// <summary>Declared names of the libraries with words of our own.</summary>
    public static IEnumerable<string> BadNames(IEnumerable<SourceFile> files) =>
        from file in files
        from token in file.Root.DescendantTokens()
        where token.IsKind(SyntaxKind.IdentifierToken) && token.Parent is MemberDeclarationSyntax or VariableDeclaratorSyntax or ParameterSyntax or SingleVariableDesignationSyntax or LocalFunctionStatementSyntax or TypeParameterSyntax
        where token.Parent is not MethodDeclarationSyntax { Identifier.Text: "ExtractMostSignificantBits" } // .NET's own name
        from word in Names
        where word.Bad.IsMatch(token.ValueText)
        select file.At(token.GetLocation(), $"{token.ValueText}: {word.Instead}");

    /// <summary>Phrases of our own in the comments of the sources.</summary>
    public static IEnumerable<string> BadComments(IEnumerable<SourceFile> files) =>
        from file in files
        from trivia in file.Root.DescendantTrivia(descendIntoTrivia: false)
        where trivia.IsKind(SyntaxKind.SingleLineCommentTrivia) || trivia.HasStructure
        from word in Phrases
        where word.Bad.IsMatch(trivia.ToFullString())
        select file.At(trivia.GetLocation(), $"\"{word.Bad.Match(trivia.ToFullString()).Value}\": {word.Instead}");

    /// <summary>Phrases of our own in documents.</summary>
    /// <param name="documents">Path and text.</param>
    public static IEnumerable<string> BadTexts(IEnumerable<(string Path, string Text)> documents) =>
        from document in documents
        from line in document.Text.Split('\n').Index()
        from word in Phrases
        where word.Bad.IsMatch(line.Item)
        select $"{document.Path}({line.Index + 1}): \"{word.Bad.Match(line.Item).Value}\": {word.Instead}";

    private static Regex Named(string words) => new(words, RegexOptions.CultureInvariant);

    private static Regex Phrase(string words) => new($@"\b({words})\b", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase);

    [GeneratedRegex("^_?(least|most|Least|Most)([A-Z]|$)|[a-z](Least|Most)([A-Z]|$)", RegexOptions.CultureInvariant)]
    private static partial Regex LeastOrMost();
}
