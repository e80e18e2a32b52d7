using Diffusion.Kernels;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

public sealed class KernelCheckTests
{
    [Fact]
    public void Run_ThisMachine_IsSound()
    {
        var report = KernelCheck.Run();

        Assert.True(report.Sound, string.Join(Environment.NewLine, report.Failures));
        Assert.True(report.Checked > 50);
        Assert.Null(report.Plain);
        Assert.StartsWith("2.", report.LibtorchVersion, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WithPlainConvolutions_ReportsThemBesideTheVerdict()
    {
        var report = KernelCheck.Run(plain: true);

        Assert.True(report.Sound, string.Join(Environment.NewLine, report.Failures));
        Assert.NotNull(report.Plain);
        Assert.InRange(report.Plain.Wrong, 0, report.Plain.Checked);
        Assert.InRange(report.Plain.Checked, 1, report.Checked - 1);
    }

    [Fact]
    public void Run_InsideNoGrad_ChecksAndLeavesModeAndRandomNumbersAlone()
    {
        random.manual_seed(11);
        using var expected = rand(8);
        random.manual_seed(11);
        using (no_grad())
        {
            Assert.True(KernelCheck.Run().Sound);
            Assert.False(is_grad_enabled());
        }

        using var actual = rand(8);
        Assert.Equal(expected.data<float>().ToArray(), actual.data<float>().ToArray());
    }

    [Fact]
    public void Run_InsideAScope_LeavesNothingBehind()
    {
        KernelCheck.Run();
        using var scope = NewDisposeScope();

        KernelCheck.Run();

        Assert.Equal(0, scope.DisposablesCount);
    }

    [Fact]
    public void ToString_Failures_NamesCountsAndExamples()
    {
        KernelFailure[] failures =
        [
            new("first", "output", double.NaN, 1e-5), new("first", "input gradient", 0.5, 1e-5), new("second", "output", 0.1, 1e-5), new("third", "output", 0.1, 1e-5),
        ];
        var report = new KernelCheck(40, failures, TimeSpan.FromSeconds(1.25), "2.10.0", ProcessorLevel.Avx2, new(38, 12));

        Assert.False(report.Sound);
        Assert.Equal(
            "This library's kernels are WRONG here: 3 of 40 configurations differ from float64 (level avx2, libtorch 2.10.0, 1.3 s). "
            + "first: output is off by NaN, allowed 1.0e-5; first: input gradient is off by 5.0e-1, allowed 1.0e-5; second: output is off by 1.0e-1, allowed 1.0e-5; …. "
            + "Plain libtorch convolutions are wrong here: 12 of 38 configurations; this library's layers avoid them.",
            report.ToString());
    }

    [Fact]
    public void ToString_Sound_IsOneSentenceForEachQuestion() => Assert.Equal(
        "This library's kernels are right here: all 40 configurations agree with float64 (level plain, libtorch 2.10.0, 1.0 s). "
        + "Plain libtorch convolutions are right here too, in all 38 configurations.",
        new KernelCheck(40, [], TimeSpan.FromSeconds(1), "2.10.0", ProcessorLevel.Plain, new(38, 0)).ToString());
}
