namespace Diffusion.Benchmarks;

/// <summary>
/// <c>compare [--levels] [--network NAME,…] [--json FILE] [--quick]</c>: this library against PyTorch's eager operators on the same machine, and the goals; with <c>--levels</c> at every level that the
/// processor has, with <c>--network</c> some of the networks alone.
/// </summary>
internal static class CompareCommand
{
    public static int Run(Arguments arguments)
    {
        var (file, names, quick, levels) = (arguments.Text("--json"), arguments.Text("--network"), arguments.Flag("--quick"), arguments.Flag("--levels"));
        arguments.End();
        var networks = ComparedNetworks.Chosen(names);
        Console.WriteLine($"""
            {Machine.Line}

            Measured are{(quick ? " the smallest networks of these kinds (quick: the numbers mean nothing)" : "")}:

            {string.Join('\n', networks.Select(name => $"- `{name}`: {ComparedNetworks.Named(name, quick).What}"))}

            Eager is the same out of TorchSharp's modules: float32, NCHW, one operator after the other. Ratios are this library's to eager's, smaller is better:
            median (smallest–largest) of rounds in which all contenders run in turn, in one process that keeps freed memory (`DiffusionRuntime.KeepFreedMemory`) and whose threads do not spin (`WaitWithoutSpinning`).
            Memory is measured in a process of its own for each: eager's leaves the system's allocator as it is, this library's keeps freed blocks up to 2 MiB (`KeepFreedMemory(2 << 20)`); in the rows of `kept_memory` both
            keep all, as in the rounds that are timed. A goal of 1, as good as eager, is met where one of the rounds is.

            """);
        if (levels)
        {
            return LevelComparison.Run(networks, file, quick);
        }

        if (!Processor.MultipliesBFloat16)
        {
            Console.WriteLine("bfloat16 runs compute in float32 at this level: rows of bf16 and of fp32 are the same arithmetic.\n");
        }

        Console.WriteLine(ComparisonReport.Head);
        var measured = new Dictionary<string, Measurement>(StringComparer.Ordinal);
        foreach (var network in networks)
        {
            var found = Comparison.Run(network, quick);
            Console.WriteLine(ComparisonReport.Rows(found, Goals.Of([network])));
            found.ToList().ForEach(entry => measured.Add(entry.Key, entry.Value));
        }

        if (file is not null)
        {
            File.WriteAllText(file, ComparisonReport.Json(measured, Goals.Of(networks)));
        }

        return 0;
    }
}
