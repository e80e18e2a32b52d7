using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Diffusion.Benchmarks;

/// <summary>The programs by name.</summary>
internal static class Verbs
{
    /// <summary>Those that train or sample, most to measure how a program performs that does.</summary>
    private static readonly Dictionary<string, Func<Arguments, int>> s_training = new(StringComparer.Ordinal)
    {
        ["compare"] = CompareCommand.Run,
        [PeakMemory.Verb] = PeakMemory.Run,
        ["profile"] = ProfileCommand.Run,
        ["roofline"] = RooflineCommand.Run,
        ["scaling"] = ScalingCommand.Run,
        ["results"] = ResultsCommand.Run,
        ["sensitivity"] = SensitivityCommand.Run,
        ["threads"] = ThreadsCommand.Run,
        ["suites"] = SuitesCommand.Run,
        ["dry"] = DryCommand.Run,
        [ScalingMeasurement.Verb] = ScalingMeasurement.Run,
        ["crash"] = CrashCommand.Run,
        [CrashRun.Verb] = CrashRun.Run,
    };

    /// <summary>Runs one; without a known verb the arguments are BenchmarkDotNet's.</summary>
    /// <returns>0 where all is well, 2 where the arguments are wrong.</returns>
    public static int Run(string[] args)
    {
        if (args is [var verb, ..] && s_training.TryGetValue(verb, out var run))
        {
            if (verb != PeakMemory.Verb) // which decides itself
            {
                DiffusionRuntime.KeepFreedMemory(); // as programs do that train: before the first tensor
            }

            DiffusionRuntime.WaitWithoutSpinning();
            try
            {
                return run(new Arguments(args.AsSpan(1)));
            }
            catch (FormatException e)
            {
                Console.Error.WriteLine(e.Message);
                return 2;
            }
        }

        switch (args)
        {
            case ["kernels", .. var rest]:
                return KernelGridCommand.Run(rest);
            case ["samplers", .. var rest]:
                return SamplerAccuracyCommand.Run(rest);
            case ["fuzz", .. var rest]:
                return FuzzCommand.Run(rest);
            case ["memory", .. var rest]:
                return TrainingMemoryCommand.Run(rest);
            case ["precision", .. var rest]:
                return PrecisionCommand.Run(rest);
            case ["loading", .. var rest]:
                return LoadingCommand.Run(rest);
            case [ConfigurationCommand.Verb, .. var rest]:
                return ConfigurationCommand.Run(rest);
        }

        // In this process: a project that BenchmarkDotNet makes itself would lack libtorch, half a gigabyte that only an application brings.
        var inProcess = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
        BenchmarkSwitcher.FromAssembly(typeof(Verbs).Assembly).Run(args, inProcess);
        return 0;
    }
}
