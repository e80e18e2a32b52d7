using Diffusion.Conventions.Tests.Rules;

namespace Diffusion.Conventions.Tests.Examples;

/// <summary>That the rule about folders sees what it should.</summary>
public sealed class FolderExamples
{
    [Fact]
    public void Cycles_OneWay_AreNone() =>
        Assert.Empty(Cycles(("A/One.cs", "class One { Two F() => new(); }"), ("B/Two.cs", "class Two { Three F; }"), ("C/Three.cs", "class Three { /* One */ string s = nameof(Three); }")));

    [Fact]
    public void Cycles_OverThreeFolders_ListsTheUsesOfEach() => Assert.Equal(
        ["A → B: One → Two", "B → C: Two → Three", "C → A: Three → One"],
        Cycles(("A/One.cs", "class One { Two F() => new(); }"), ("B/Two.cs", "class Two { Three F; }"), ("C/Three.cs", "class Three { One F; }"), ("D/Four.cs", "class Four { One F; }")));

    [Fact]
    public void Cycles_OfTypesThatNoNameSays_AreSeen() => Assert.Equal(
        ["A → B: One → Two", "B → A: Two → One"],
        Cycles(("A/One.cs", "class One { public int G; void F() { var x = Three.Make(); } }"), ("B/Two.cs", "class Two { static int H() => Three.One().G; }"), ("C/Three.cs", "class Three { public static Two Make() => null; public static One One() => null; }"))
            .Where(line => !line.Contains('C', StringComparison.Ordinal)));

    [Fact]
    public void Cycles_TypesOfTheSameNameElsewhere_AreNoUse() =>
        Assert.Empty(Cycles(("A/One.cs", "namespace N { class One { M.Path F; } }"), ("B/Path.cs", "namespace M { class Path { static string H() => System.IO.Path.GetTempPath(); class One { One F; } } }")));

    private static IEnumerable<string> Cycles(params (string Path, string Text)[] files) =>
        FolderRules.Cycles(Sources.Compile("Example", files.Select(file => SourceFile.Parse($"src/X/{file.Path}", file.Text))), Sources.FoldersOf("src/X")).Order(StringComparer.Ordinal);
}
