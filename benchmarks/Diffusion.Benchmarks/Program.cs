using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Diffusion.Benchmarks;

if (args is ["kernels", ..])
{
    return KernelGridCommand.Run(args.AsSpan(1));
}

if (args is ["samplers", ..])
{
    return SamplerAccuracyCommand.Run(args.AsSpan(1));
}

if (args is ["fuzz", ..])
{
    return FuzzCommand.Run(args.AsSpan(1));
}

if (args is ["memory", ..])
{
    return TrainingMemoryCommand.Run(args.AsSpan(1));
}

if (args is ["speed", ..])
{
    return NetworkSpeedCommand.Run(args.AsSpan(1));
}

if (args is ["precision", ..])
{
    return PrecisionCommand.Run(args.AsSpan(1));
}

// In this process: a project that BenchmarkDotNet makes itself would lack libtorch, half a gigabyte that only an application brings.
var inProcess = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
BenchmarkSwitcher.FromAssembly(typeof(KernelGridCommand).Assembly).Run(args, inProcess);
return 0;
