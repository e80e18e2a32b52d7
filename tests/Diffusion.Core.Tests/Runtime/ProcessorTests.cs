using System.Diagnostics;

namespace Diffusion.Core.Tests;

public sealed class ProcessorTests
{
    private const string Variable = "DIFFUSION_CPU";

    [Theory]
    [InlineData("plain", ProcessorLevel.Plain)]
    [InlineData("avx2", ProcessorLevel.Avx2)]
    [InlineData("avx512", ProcessorLevel.Avx512)]
    [InlineData("avx512bf16", ProcessorLevel.Avx512BFloat16)]
    [InlineData("AVX512BF16", ProcessorLevel.Avx512BFloat16)]
    [InlineData(" Plain ", ProcessorLevel.Plain)]
    public void Read_ANameInAnyCase_IsThatLevel(string setting, ProcessorLevel expected) =>
        Assert.Equal((expected, null), Processor.Read(setting, Variable, ProcessorLevel.Avx512BFloat16));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  ")]
    public void Read_NoSetting_IsTheHighestLevel(string? setting) => Assert.Equal((ProcessorLevel.Avx2, null), Processor.Read(setting, Variable, ProcessorLevel.Avx2));

    [Fact]
    public void Read_EachLevel_IsReadFromItsName() =>
        Assert.All(Enum.GetValues<ProcessorLevel>(), level => Assert.Equal((level, null), Processor.Read(level.ToSetting(), Variable, ProcessorLevel.Avx512BFloat16)));

    [Theory]
    [InlineData("avx")]
    [InlineData("2")]
    [InlineData("avx2,avx512")]
    public void Read_AnUnknownName_NamesItAndAllLevels(string setting)
    {
        var mistake = Processor.Read(setting, Variable, ProcessorLevel.Avx2).Mistake;

        Assert.Contains($"{Variable} is '{setting}'", mistake, StringComparison.Ordinal);
        Assert.Contains("'avx512bf16', 'avx512', 'avx2', 'plain'", mistake, StringComparison.Ordinal);
        Assert.Contains("at most 'avx2'", mistake, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("avx512bf16", ProcessorLevel.Avx512, "'avx512', 'avx2', 'plain'")]
    [InlineData("avx512", ProcessorLevel.Avx2, "'avx2', 'plain'")]
    [InlineData("AVX2", ProcessorLevel.Plain, "'plain'")]
    public void Read_MoreThanThereIs_SaysWhatThereIs(string setting, ProcessorLevel highest, string possible)
    {
        var mistake = Processor.Read(setting, Variable, highest).Mistake;

        Assert.Contains($"asks for '{setting.ToLowerInvariant()}'", mistake, StringComparison.Ordinal);
        Assert.Contains($"has '{highest.ToSetting()}' at most", mistake, StringComparison.Ordinal);
        Assert.EndsWith($"set it to {possible}.", mistake, StringComparison.Ordinal);
    }

    /// <summary>Arbitrary Code Guard of Windows, or a policy of SELinux: .NET's own compiler does not run there, so that no test can turn it on.</summary>
    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Allowed_ASystemThatRefusesCode_IsPlain(ProcessorLevel instructions)
    {
        Assert.Equal(ProcessorLevel.Plain, Processor.Allowed(instructions, () => false));
        Assert.Equal(instructions, Processor.Allowed(instructions, () => true));
    }

    [Fact]
    public void Allowed_AProcessorWithoutKernels_IsNotAskedForCode() => Assert.Equal(ProcessorLevel.Plain, Processor.Allowed(ProcessorLevel.Plain, () => throw new InvalidOperationException("asked")));

    [Fact]
    public void Kernels_ASystemThatRefusesCode_SaysSo()
    {
        Assert.Contains("lets the program make no code", Processor.Kernels(ProcessorLevel.Plain, isCodeRefused: true), StringComparison.Ordinal);
        Assert.DoesNotContain("code", Processor.Kernels(ProcessorLevel.Plain, isCodeRefused: false), StringComparison.Ordinal);
        Assert.DoesNotContain("libtorch", Processor.Kernels(ProcessorLevel.Avx2, isCodeRefused: false), StringComparison.Ordinal);
    }

    [Fact]
    public void Limit_LessThanThereIs_HoldsUntilDisposed()
    {
        var before = Processor.Level;
        using (Processor.Limit(ProcessorLevel.Plain))
        {
            Assert.Equal(ProcessorLevel.Plain, Processor.Level);
            Assert.Contains("level plain", Processor.Description, StringComparison.Ordinal);
        }

        Assert.Equal(before, Processor.Level);
    }

    [Fact]
    public void Limit_MoreThanThereIs_IsRefused()
    {
        Assert.SkipWhen(Processor.Highest == ProcessorLevel.Avx512BFloat16, "This processor has every level.");

        Assert.Throws<PlatformNotSupportedException>(() => Processor.Limit(ProcessorLevel.Avx512BFloat16));
    }

    /// <summary>Also what the processes of the two tests below run.</summary>
    [Fact]
    public void Level_OfThisProcess_IsWhatTheVariableSays() =>
        Assert.Equal(Processor.Read(Environment.GetEnvironmentVariable(Variable), Variable, Processor.Highest).Level, Processor.Level);

    [Theory]
    [InlineData("plain")]
    [InlineData("PLAIN")]
    public void Level_OfAProcessWithTheVariable_IsWhatItSays(string setting)
    {
        var (code, output) = RunWith(setting);

        Assert.True(code == 0, output);
        Assert.Contains("Total: 1", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Level_OfAProcessWithAWrongVariable_IsAnErrorThatNamesTheLevels()
    {
        var (code, output) = RunWith("fastest");

        Assert.NotEqual(0, code);
        Assert.Contains($"{Variable} is 'fastest'; it must be one of 'avx512bf16', 'avx512', 'avx2', 'plain'", output, StringComparison.Ordinal);
    }

    private static (int Code, string Output) RunWith(string setting)
    {
        // These tests again: a program of its own, or one that dotnet runs.
        var program = Environment.ProcessPath!;
        var isDotnet = Path.GetFileNameWithoutExtension(program) == "dotnet";
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[.. isDotnet ? (string[])["exec", typeof(ProcessorTests).Assembly.Location] : [], "-method", $"{typeof(ProcessorTests).FullName}.{nameof(Level_OfThisProcess_IsWhatTheVariableSays)}"])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment[Variable] = setting;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.Result);
    }
}
