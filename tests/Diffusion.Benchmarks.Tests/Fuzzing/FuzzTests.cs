using Diffusion.Fuzzing;

namespace Diffusion.Benchmarks.Tests;

/// <summary>The bounded run of what the command <c>fuzz</c> does with more files.</summary>
public sealed class FuzzTests
{
    private const int Files = 500;

    public static TheoryData<string> Kinds() => [.. FuzzKinds.All.Select(target => target.Name)];

    public static TheoryData<string> Names() => [.. FuzzTargets.All.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Read_DamagedFiles_AreReadOrRefusedWithAReasonInLittleMemory(string name)
    {
        var report = Fuzz.Run(FuzzTargets.All.Single(target => target.Name == name), Files, seed: 100);
        Assert.True(report.Failures.Count == 0, string.Join('\n', report.Failures));
        Assert.Equal(Files, report.Read + report.Refused);
        Assert.InRange(report.Refused, Files / 2, Files - 1); // the damage is real, and not so large that everything is refused at once
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Read_UnusualFiles_AreReadRightOrRefusedWithAReasonInLittleMemory(string name)
    {
        var report = Fuzz.Run(FuzzKinds.All.Single(target => target.Name == name), Files, seed: 100);
        Assert.True(report.Failures.Count == 0, string.Join('\n', report.Failures));
        Assert.Equal(Files, report.Read + report.Refused);
        Assert.InRange(report.Read, 1, Files - 1); // both happen
    }

    [Theory]
    [InlineData("a crash")]
    [InlineData("no reason")]
    [InlineData("bytes allocated")]
    [InlineData("tensors left")]
    public void Run_ReaderThatFails_ReportsIt(string failure)
    {
        var left = new List<TorchSharp.torch.Tensor>();
        var target = new FuzzTarget("bad", FuzzTarget.Damaged([[1, 2, 3]]), _ =>
        {
            switch (failure)
            {
                case "a crash": throw new InvalidOperationException(failure);
                case "no reason": throw new InvalidDataException("bad");
                case "bytes allocated": GC.KeepAlive(new byte[1 << 20]); break;
                default: left.Add(TorchSharp.torch.zeros(1)); break;
            }
        });
        var report = Fuzz.Run(target, 2, seed: 0);
        left.ForEach(tensor => tensor.Dispose());
        Assert.Contains(failure, report.Failures[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void JsonMutations_SameSeed_GiveTheSameTextsAndTheyDiffer()
    {
        var original = """{"a":[1,2,{"b":null}],"c":"d"}"""u8.ToArray();
        var texts = JsonMutations.Of(original, 50, seed: 3).Select(Convert.ToBase64String).ToList();
        Assert.Equal(texts, JsonMutations.Of(original, 50, seed: 3).Select(Convert.ToBase64String));
        Assert.InRange(texts.Distinct().Count(), 40, 50);
    }
}
