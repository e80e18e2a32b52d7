using System.CommandLine;

namespace Diffusion.Sample;

/// <summary>All commands and their options.</summary>
internal static class CommandLine
{
    public static RootCommand Create()
    {
        var commands = new RootCommand("Train image diffusion models and draw with them. Without a command: draws digits with the model that comes along, then trains the quick MNIST run and draws with that.")
        {
            TrainCommand.Create(), SampleCommand.Create(), CompareCommand.Create(), ForwardCommand.Create(), ImageToImageCommand.Create(), InpaintCommand.Create(), InterpolateCommand.Create(), ReconstructCommand.Create(),
            EvaluateCommand.Create(), ConvertCommand.Create(), InfoCommand.Create(), ClassifierCommand.Create(),
        };
        FirstRun.Of(commands);
        return commands;
    }
}
