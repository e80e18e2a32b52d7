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
        [
            """
            3 folders: A, B, C
                A → B:
                  One → Two (One.cs, Two.cs)
                B → C:
                  Two → Three (Two.cs, Three.cs)
                C → A:
                  Three → One (Three.cs, One.cs)
            """,
        ],
        Cycles(("A/One.cs", "class One { Two F() => new(); }"), ("B/Two.cs", "class Two { Three F; }"), ("C/Three.cs", "class Three { One F; }"), ("D/Four.cs", "class Four { One F; }")));

    [Fact]
    public void Cycles_ApartFromEachOther_AreGroupsOfTheirOwn() => Assert.Equal(
        ["2 folders: ., D", "2 folders: A, A/In"],
        Cycles(("A/One.cs", "class One { Two F; }"), ("A/In/Two.cs", "class Two { One F; Three G; }"), ("Three.cs", "class Three { Four F; }"), ("D/Four.cs", "class Four { Three F; }")).Select(group => group.Split('\n')[0]));

    [Fact]
    public void Cycles_OfTypesThatNoNameSays_AreSeen() => Assert.Equal(
        ["A → B:", "One → Two (One.cs, Two.cs)", "B → A:", "Two → One (Two.cs, One.cs)"],
        Cycles(("A/One.cs", "class One { public int G; void F() { var x = Three.Make(); } }"), ("B/Two.cs", "class Two { static int H() => Three.One().G; }"), ("C/Three.cs", "class Three { public static Two Make() => null; public static One One() => null; }"))
            .Single().Split('\n').Skip(1).Select(line => line.Trim()).Where(line => !line.Contains('C', StringComparison.Ordinal) && !line.Contains("Three", StringComparison.Ordinal)));

    [Fact]
    public void Cycles_TypesOfTheSameNameElsewhere_AreNoUse() =>
        Assert.Empty(Cycles(("A/One.cs", "namespace N { class One { M.Path F; } }"), ("B/Path.cs", "namespace M { class Path { static string H() => System.IO.Path.GetTempPath(); class One { One F; } } }")));

    [Fact]
    public void TooMany_FullFolders_AreListed() => Assert.Equal(
        [".: 3 files, and 2 are the most", "B: 36 files, and 35 are the most"],
        TooMany(("", 3), ("A/", 35), ("B/", 36)));

    [Fact]
    public void TooMany_ARootWithoutFolders_IsAFolderLikeOthers()
    {
        Assert.Empty(TooMany(("", 35)));
        Assert.Single(TooMany(("", 36)));
    }

    private static IEnumerable<string> TooMany(params (string Folder, int Files)[] folders) =>
        FolderRules.TooMany(folders.SelectMany(folder => Enumerable.Range(0, folder.Files).Select(file => $"src/X/{folder.Folder}{file}.cs")), Sources.FoldersOf("src/X")).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Cycles(params (string Path, string Text)[] files) =>
        FolderRules.Cycles(Sources.Compile("Example", files.Select(file => SourceFile.Parse($"src/X/{file.Path}", file.Text))), Sources.FoldersOf("src/X")).Order(StringComparer.Ordinal);
}
