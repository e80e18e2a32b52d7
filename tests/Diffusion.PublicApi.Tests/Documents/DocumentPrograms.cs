using System.Reflection;
using System.Runtime.Loader;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Diffusion.PublicApi.Tests;

/// <summary>
/// The C# blocks of a document as programs: a block that begins with <c>using Diffusion;</c> begins one, the others go on with the one above. They are compiled as in a new console project, and run in this process.
/// </summary>
internal sealed partial class DocumentPrograms
{
    private const string FirstLine = "using Diffusion;";
    private const string Implicit = "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Threading; global using System.Threading.Tasks;";

    /// <summary>A library that was built with an older framework: what every project of the SDK passes over, too.</summary>
    private static readonly Dictionary<string, ReportDiagnostic> s_passedOver = new() { ["CS1701"] = ReportDiagnostic.Suppress, ["CS1702"] = ReportDiagnostic.Suppress };

    private DocumentPrograms(string path, IReadOnlyList<string> texts) => (Path, Texts) = (path, texts);

    /// <summary>The document.</summary>
    public string Path { get; }

    /// <summary>The programs in their order.</summary>
    public IReadOnlyList<string> Texts { get; private init; }

    /// <summary>Reads the programs of a document.</summary>
    /// <param name="name">The document, from the folder docs.</param>
    public static DocumentPrograms Read(string name)
    {
        var path = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(System.IO.Path.GetDirectoryName(Golden.Folder))!, "docs", name);
        return new(path, Of(File.ReadAllText(path)));
    }

    /// <summary>The programs of a text.</summary>
    /// <exception cref="InvalidDataException">The first block begins no program.</exception>
    public static IReadOnlyList<string> Of(string text)
    {
        var programs = new List<StringBuilder>();
        foreach (var block in Block().Matches(text.ReplaceLineEndings("\n")).Select(match => match.Groups[1].Value))
        {
            if (block.StartsWith(FirstLine, StringComparison.Ordinal))
            {
                programs.Add(new());
            }
            else if (programs.Count == 0)
            {
                throw new InvalidDataException($"The first block does not begin with '{FirstLine}': {block}");
            }

            programs[^1].AppendLine(block);
        }

        return [.. programs.Select(program => program.ToString())];
    }

    /// <summary>The same programs with smaller numbers, and other paths.</summary>
    /// <param name="changes">What is written there, which must be in one of the programs, and what stands in its place.</param>
    public DocumentPrograms With(params (string There, string Here)[] changes)
    {
        foreach (var (there, _) in changes)
        {
            Assert.True(Texts.Any(text => text.Contains(there, StringComparison.Ordinal)), $"{Path} has no '{there}' any more.");
        }

        return new(Path, [.. Texts.Select(text => changes.Aggregate(text, (program, change) => program.Replace(change.There, change.Here, StringComparison.Ordinal)))]);
    }

    /// <summary>Runs the programs one after another.</summary>
    /// <param name="folder">The current folder of them all.</param>
    /// <returns>What each wrote on the console.</returns>
    public IReadOnlyList<string> Run(string folder)
    {
        var (directory, console) = (Environment.CurrentDirectory, Console.Out);
        try
        {
            Environment.CurrentDirectory = folder;
            return [.. Texts.Select((text, i) =>
            {
                using var output = new StringWriter();
                Console.SetOut(TextWriter.Synchronized(output));
                Main(text, i).Invoke(null, [Array.Empty<string>()]);
                return output.ToString();
            })];
        }
        finally
        {
            Console.SetOut(console);
            Environment.CurrentDirectory = directory;
        }
    }

    private MethodInfo Main(string text, int index)
    {
        var options = CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Latest);
        var libraries = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(System.IO.Path.PathSeparator).Select(file => MetadataReference.CreateFromFile(file));
        var compilation = CSharpCompilation.Create(
            $"{System.IO.Path.GetFileNameWithoutExtension(Path)}-{index}",
            [CSharpSyntaxTree.ParseText(Implicit, options), CSharpSyntaxTree.ParseText(text, options)],
            libraries,
            new(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable, specificDiagnosticOptions: s_passedOver));
        using var assembly = new MemoryStream();
        var result = compilation.Emit(assembly);
        var mistakes = result.Diagnostics.Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning).ToList();
        Assert.True(mistakes.Count == 0, $"{Path}, program {index}:\n{string.Join("\n", mistakes)}\n{text}");
        assembly.Position = 0;
        return new AssemblyLoadContext(null).LoadFromStream(assembly).EntryPoint!; // one of its own: a page can be run twice
    }

    [GeneratedRegex(@"^```csharp\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
