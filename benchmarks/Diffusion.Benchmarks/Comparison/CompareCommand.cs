namespace Diffusion.Benchmarks;

/// <summary><c>compare [--levels] [--json FILE] [--quick]</c>: this library against PyTorch's eager operators on the same machine, and the goals; with <c>--levels</c> at every level that the processor has.</summary>
internal static class CompareCommand
{
    public static int Run(Arguments arguments)
    {
        var (file, quick, levels) = (arguments.Text("--json"), arguments.Flag("--quick"), arguments.Flag("--levels"));
        arguments.End();
        Console.WriteLine($"""
            {Machine.Line}

            Measured is {ReferenceSize.Of(quick).Name}; eager is the same out of TorchSharp's modules: float32, NCHW, one operator after the other. Ratios are this library's to eager's, smaller is better:
            median (smallest–largest) of rounds in which all contenders run in turn, in one process that keeps freed memory (`DiffusionRuntime.KeepFreedMemory`) and whose threads do not spin (`WaitWithoutSpinning`).
            Memory is measured in a process of its own for each: eager's leaves the system's allocator as it is, this library's keeps freed blocks up to 2 MiB (`KeepFreedMemory(2 << 20)`); in the rows of `kept_memory` both
            keep all, as in the rounds that are timed. A goal of 1, as good as eager, is met where one of the rounds is.

            """);
        if (levels)
        {
            return LevelComparison.Run(file, quick);
        }

        if (!Processor.MultipliesBFloat16)
        {
            Console.WriteLine("bfloat16 runs compute in float32 at this level: rows of bf16 and of fp32 are the same arithmetic.\n");
        }

        var measured = Comparison.Run(quick ? ComparisonSettings.Quick : ComparisonSettings.Full);
        Console.WriteLine(ComparisonReport.Table(measured));
        if (file is not null)
        {
            File.WriteAllText(file, ComparisonReport.Json(measured));
        }

        return 0;
    }
}
