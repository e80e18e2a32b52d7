using BenchmarkDotNet.Running;
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

BenchmarkSwitcher.FromAssembly(typeof(KernelGridCommand).Assembly).Run(args);
return 0;
