using Diffusion.Conventions.Tests.Rules;

namespace Diffusion.Conventions.Tests.Examples;

/// <summary>Shows of each rule about sources that it finds an offender and leaves good code alone.</summary>
public sealed class SourceExamples
{
    [Fact]
    public void TooLong_FileOf401Lines_IsFound()
    {
        Assert.Empty(SourceRules.TooLong([File(new string('\n', 399) + "//\n")]));
        Assert.Equal(["a.cs: 401 lines"], SourceRules.TooLong([File(new string('\n', 400) + "//\n")]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5, 5)]
    [InlineData(5, 9, 5, 1)]
    [InlineData(5, 90, 80, 5, 1)]
    public void Median_OfFiles_IsTheMiddleLength(int expected, params int[] lines) =>
        Assert.Equal(expected, SourceRules.Median(lines.Select(n => File(new string('\n', n - 1) + "//\n"))));

    [Fact]
    public void OtherNamespace_FolderNamespace_IsFound() => Assert.Equal(
        ["a.cs(1): namespace Diffusion.Data, not Diffusion"],
        SourceRules.OtherNamespace([File("namespace Diffusion.Data;"), File("namespace Diffusion;")], "Diffusion"));

    [Theory]
    [InlineData("// TO" + "DO: later")]
    [InlineData("/* FIX" + "ME */")]
    [InlineData("class A { void M() { } /* HA" + "CK */ }")]
    [InlineData("/// <summary>TO" + "DO</summary>\nclass A;")]
    [InlineData("class A { void M() => throw new System.NotImplementedException(); }")]
    public void Unfinished_LeftOverWork_IsFound(string source) => Assert.NotEmpty(SourceRules.Unfinished([File(source)]));

    [Fact]
    public void Unfinished_OrdinaryWords_AreLeftAlone() =>
        Assert.Empty(SourceRules.Unfinished([File("// A hackneyed todo list.\n/// <summary>What to do.</summary>\nclass A { string s = \"TO" + "DO\"; }")]));

    [Fact]
    public void Sleeps_ThreadSleep_IsFound()
    {
        Assert.Equal(["a.cs(1): Thread.Sleep"], SourceRules.Sleeps([File("class A { void M() => System.Threading.Thread.Sleep(10); }")]));
        Assert.Empty(SourceRules.Sleeps([File("class A { void M() => Bed.Sleep(8); }")]));
    }

    [Theory]
    [InlineData("var t = Stopwatch.StartNew();", 1)]
    [InlineData("var t = System.DateTime.UtcNow;", 1)]
    [InlineData("var t = Environment.TickCount64;", 1)]
    [InlineData("var t = new DateTime(2020, 1, 1);", 0)]
    [InlineData("var t = \"Stopwatch\";", 0)]
    [InlineData("var t = Calendar.Now;", 0)]
    public void ReadsClock_EachClock_IsFound(string statement, int found) =>
        Assert.Equal(found, SourceRules.ReadsClock([File($"class A {{ void M() {{ {statement} }} }}")]).Count());

    [Theory]
    [InlineData("async Task M() { using var scope = torch.NewDisposeScope(); await Load(); }", 1)]
    [InlineData("IEnumerable<int> M() { using (torch.no_grad()) { yield return 1; } }", 1)]
    [InlineData("async Task M() { await Load(); using var mode = inference_mode(); }", 1)]
    [InlineData("async Task M() { using var scope = NewDisposeScope(); await foreach (var x in Xs()) { } }", 1)]
    [InlineData("async Task M() { using var scope = NewDisposeScope(); await using var y = Y(); }", 1)]
    [InlineData("async Task M() { await Task.Run(() => { using var scope = NewDisposeScope(); Work(); }); }", 0)]
    [InlineData("IEnumerable<int> M() { yield return Step(); int Step() { using var scope = NewDisposeScope(); return 1; } }", 0)]
    [InlineData("void M() { using var scope = NewDisposeScope(); Work(); }", 0)]
    [InlineData("async Task M() { await Load(); }", 0)]
    public void LeavesOpenScope_AwaitOrYield_IsFoundInTheSameFunctionOnly(string method, int found) =>
        Assert.Equal(found, SourceRules.LeavesOpenScope([File($"class A {{ {method} }}")]).Count());

    [Fact]
    public void UnexplainedPragmas_WithoutReason_AreFound() => Assert.Equal(
        ["a.cs(1): #pragma warning disable CA1000"],
        SourceRules.UnexplainedPragmas([File("#pragma warning disable CA1000\n#pragma warning disable CA1001 // because\n// because\n#pragma warning disable CA1002\n")]));

    [Theory]
    [InlineData("[Fact] public void Write_FullDisk_KeepsTheOldFile() { }", 0)]
    [InlineData("[Fact] public void WritesFile() { }", 1)]
    [InlineData("[Theory] public void Write_Works(int x) { }", 1)]
    [InlineData("public void Helper() { }", 0)]
    public void BadTestNames_NamesWithoutThreeParts_AreFound(string method, int found) =>
        Assert.Equal(found, SourceRules.BadTestNames([File($"class A {{ {method} }}")]).Count());

    [Theory]
    [InlineData("[Fact] public void T() { if (!Avx2.IsSupported) { return; } Work(); }", 1)]
    [InlineData("[Fact] public async Task T() { if (!Avx2.IsSupported) return; await Work(); }", 1)]
    [InlineData("[Theory, InlineData(1)] public void T(int x) { switch (x) { case 1: return; } Work(); return; }", 2)]
    [InlineData("[Fact] public void T() => Check(); void Check() { if (!Avx2.IsSupported) return; Work(); }", 1)]
    [InlineData("[Fact] public void T() { Assert.SkipUnless(Avx2.IsSupported, \"AVX2\"); Work(); }", 0)]
    [InlineData("[Fact] public void T() { Run(() => { return; }); void Part() { return; } }", 0)]
    [InlineData("[Fact] public int T() { return 1; }", 0)]
    [InlineData("public void Helper() { return; }", 0)]
    public void ReturnsEarly_TestThatReturns_IsFoundWithTheMethodsBesideIt(string members, int found) =>
        Assert.Equal(found, SourceRules.ReturnsEarly([File($"class A {{ {members} }}")]).Count());

    [Theory]
    [InlineData("/// <remarks>arXiv:2006.11239, Eq. 7.</remarks>\npublic sealed class Linear : INoiseSchedule;", 0)]
    [InlineData("/// <summary>arXiv:2006.11239</summary>\npublic sealed class Linear : INoiseSchedule;", 1)]
    [InlineData("/// <summary>A</summary>\n/// <remarks>A</remarks>\n/// <example>arXiv:2006.11239</example>\npublic sealed class Linear : INoiseSchedule;", 1)]
    [InlineData("public sealed record Linear(int Steps) : Diffusion.INoiseSchedule;", 1)]
    [InlineData("public sealed class Ddim : Sampler;", 1)]
    [InlineData("public sealed record Parameterization;", 1)]
    [InlineData("public abstract class Parameterization;", 1)]
    [InlineData("public sealed record SamplingProgress(int Step);", 0)]
    [InlineData("public abstract class FirstOrder : Sampler;", 0)]
    public void WithoutSource_NumericsWithoutCitation_AreFound(string source, int found) => Assert.Equal(
        found,
        DocumentationRules.WithoutSource([File("public interface INoiseSchedule;"), File("public abstract class Sampler;"), File(source)]).Count());

    private static SourceFile File(string text) => SourceFile.Parse("a.cs", text);
}
