using System.CommandLine;
using Diffusion;
using Diffusion.Sample;

// Before the first tensor: each step takes the same buffers again, so freed memory is kept; and few processors have no time for threads that spin.
DiffusionRuntime.KeepFreedMemory();
DiffusionRuntime.WaitWithoutSpinning();

var config = new Option<FileInfo?>("--config") { Description = "The configuration file; the quick MNIST run by default." };
var trainSteps = new Option<int?>("--steps") { Description = "Training steps in all, instead of the configuration's." };
var stopAfter = new Option<int?>("--stop-after") { Description = "End this process, with a checkpoint, after so many steps of the longer run." };
var trainSeed = new Option<long?>("--seed") { Description = "The seed of the run, instead of the configuration's." };
var resume = new Option<bool>("--resume") { Description = "Go on from the newest checkpoint in the folder." };
var train = new Command("train", "Train a network, then draw images with it.")
{
    config, trainSteps, stopAfter, trainSeed, DrawingOptions.Schedule, DrawingOptions.Sampler, DrawingOptions.Spacing, DrawingOptions.Out, resume,
};
train.SetAction(arguments => Run(cancellation => TrainCommand.Run(
    new TrainArguments(
        arguments.GetValue(config)?.FullName,
        arguments.GetValue(trainSteps),
        arguments.GetValue(stopAfter),
        arguments.GetValue(trainSeed),
        arguments.GetValue(DrawingOptions.Schedule),
        arguments.GetValue(DrawingOptions.Sampler),
        arguments.GetValue(DrawingOptions.Spacing),
        arguments.GetRequiredValue(DrawingOptions.Out).FullName,
        arguments.GetValue(resume)),
    cancellation)));

var raw = new Option<bool>("--raw") { Description = "Also write samples.safetensors with the tensor 'images', [N, C, H, W] in [-1, 1]." };
var sample = DrawingOptions.Command("sample", "Draw images with a trained network.", raw);
sample.SetAction(arguments => Run(cancellation => SampleCommand.Run(DrawingOptions.Read(arguments), arguments.GetValue(raw), cancellation)));

var root = new RootCommand("Train image diffusion models and draw with them. Without a command: trains the quick MNIST run and draws digits.")
{
    train, sample, ImageToImageCommand.Create(), InpaintCommand.Create(), InterpolateCommand.Create(), ReconstructCommand.Create(), ConvertCommand.Create(), InfoCommand.Create(),
};
var parsed = root.Parse(args.Length == 0 ? ["train"] : args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors)
    {
        Console.Error.WriteLine(error.Message);
    }

    Console.Error.WriteLine("--help lists the commands and options.");
    return ExitCode.Usage;
}

try
{
    _ = Processor.Level;
}
catch (PlatformNotSupportedException e) // DIFFUSION_CPU names no level, or one that this processor lacks
{
    Console.Error.WriteLine(e.Message);
    return ExitCode.Usage;
}

return parsed.Invoke();

static int Run(Action<CancellationToken> command) => ExitCode.Of(command);
