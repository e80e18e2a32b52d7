using Diffusion.Imaging;
using Spectre.Console;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>What the commands that change images show: a bar while they run, a grid in the end.</summary>
internal static class Picture
{
    private const int Pixels = 96;

    /// <summary>Runs something that reports so many steps.</summary>
    public static Tensor Draw(string what, int steps, Func<IProgress<(int Step, int Steps)>, Tensor> draw) =>
        AnsiConsole.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()).Start(context =>
        {
            var task = context.AddTask(what, maxValue: steps);
            return draw(new Observer<(int Step, int Steps)>(_ => task.Increment(1)));
        });

    /// <summary>Writes images, small ones enlarged, and says where.</summary>
    public static void Save(string folder, string name, Tensor images, int columns, string what)
    {
        var path = Path.Combine(folder, name + ".png");
        ImageGrid.Save(path, images, columns, scale: (int)Math.Max(1, Pixels / images.shape[2]));
        AnsiConsole.MarkupLineInterpolated($"{path}: {what}.");
    }
}
