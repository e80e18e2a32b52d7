using System.CommandLine;
using Diffusion.Models;
using Spectre.Console;
using TorchSharp;

namespace Diffusion.Sample;

/// <summary>Describes files of weights and the run or pipeline they are from, and tells whether this machine's kernels are sound.</summary>
internal static class InfoCommand
{
    private static readonly Argument<string?> s_path = new("path")
    {
        Description = "A run's folder, a checkpoint's folder, a model's folder, a folder of diffusers (a pipeline's, a network's or a scheduler's), a scheduler_config.json, or a file of weights: .safetensors, .pth, .pt, .bin, .index.json. Without it, this machine only.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<bool> s_all = new("--all") { Description = "List every tensor, and the metadata in full." };

    public static Command Create()
    {
        var command = new Command("info", "Describe a run, a pipeline of diffusers, a file of weights and this machine.") { s_path, SourceOptions.Variant, SourceOptions.IgnoreKey, s_all };
        command.SetAction(arguments => ExitCode.Of(() => Run(arguments.GetValue(s_path) is { } path ? IncludedFiles.Find(path) : null, SourceOptions.Read(arguments, schedule: null), arguments.GetValue(s_all))));
        return command;
    }

    private static void Run(string? path, SourceArguments source, bool all)
    {
        DiffusionRuntime.EnsureLoaded();
        var (variant, keys) = (("--variant", source.Variant is not null), ("--ignore-key", source.IgnoredKeys.Count > 0));
        if (path is null)
        {
            UsageException.IfUnused("without a path this machine is described.", variant, keys);
        }
        else if (SchedulerTable.Find(path) is { } scheduler)
        {
            UsageException.IfUnused($"'{scheduler}' is a scheduler, without weights.", variant);
            SchedulerTable.Write(scheduler, source.IgnoredKeys);
        }
        else
        {
            if (File.Exists(Path.Combine(path, "model_index.json")))
            {
                WritePipeline(path, source.IgnoredKeys, all);
            }
            else
            {
                UsageException.IfUnused($"'{path}' is no pipeline and no scheduler of diffusers.", keys);
            }

            using var weights = UsageException.Unless(() => WeightFiles.Open(TrainedWeights.FindAnyFile(path), source.Variant));
            WeightTable.Write(path, weights, all);
        }

        WriteMachine();
    }

    private static void WritePipeline(string path, IReadOnlyCollection<string> ignoredKeys, bool all)
    {
        var folder = DiffusersFolder.Read(path);
        var scheduler = folder.CreateScheduler(ignoredKeys);
        var table = WeightTable.Summary("Pipeline of diffusers");
        table.AddRow("folder", Markup.Escape(path));
        table.AddRow("pipeline", Markup.Escape(folder.PipelineClass));
        table.AddRow("network", Markup.Escape(folder.NetworkClass));
        if (folder.PatchSize is var patch and not 1)
        {
            table.AddRow("patches", $"{patch}×{patch} pixels, the channels of its network");
        }

        SchedulerTable.AddTo(table, scheduler);
        ClassList.AddTo(table, folder.ClassNames ?? [], all);
        AnsiConsole.Write(table);
    }

    private static void WriteMachine()
    {
        var machine = WeightTable.Summary("This machine");
        machine.AddRow("system", Markup.Escape($"{System.Runtime.InteropServices.RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores"));
        machine.AddRow("processor", Markup.Escape(DiffusionRuntime.ProcessorDescription));
        machine.AddRow("libtorch", Markup.Escape($"{torch.__version__}, {(torch.cuda.is_available() ? $"CUDA, {torch.cuda.device_count()} device(s)" : "CPU")}, {torch.get_num_threads()} thread(s)"));
        var check = KernelCheck.Run();
        machine.AddRow("kernels", Markup.Escape(check.ToString()));
        AnsiConsole.Write(machine);
        if (!check.Sound)
        {
            throw new InvalidOperationException("The layers of this library compute wrong numbers on this machine: do not train here.");
        }
    }
}
