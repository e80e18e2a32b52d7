using System.CommandLine;

namespace Diffusion.Sample;

/// <summary>All commands and their options.</summary>
internal static class CommandLine
{
    public static RootCommand Create() => new("Train image diffusion models and draw with them. Without a command: trains the quick MNIST run and draws digits.")
    {
        TrainCommand.Create(), SampleCommand.Create(), ImageToImageCommand.Create(), InpaintCommand.Create(), InterpolateCommand.Create(), ReconstructCommand.Create(),
        EvaluateCommand.Create(), ConvertCommand.Create(), InfoCommand.Create(), ClassifierCommand.Create(),
    };
}
