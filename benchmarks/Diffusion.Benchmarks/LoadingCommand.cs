using System.Diagnostics;
using System.Globalization;
using Diffusion.Configuration;
using Diffusion.Imaging;
using Diffusion.Models;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>
/// Prints how fast sources give images to one thread, and how much of training is waiting for them, with and without reading ahead:
/// <c>loading [steps] [configuration]</c>. The settings take turns, so that what else the machine does hits all of them.
/// </summary>
internal static class LoadingCommand
{
    private const int Rounds = 3;
    private const int BatchSize = 64;
    private const int WarmUp = 3;

    public static int Run(ReadOnlySpan<string> arguments)
    {
        var steps = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 20;
        var options = RunConfiguration.Load(arguments.Length > 1 ? arguments[1] : Path.Combine(Samples(), "configs", "mnist-quick.json"));
        Sources();
        Training(options, steps);
        return 0;
    }

    private static void Sources()
    {
        Console.WriteLine("| source | images/s |\n|---|---|");
        var (mnist, textures) = (Path.Combine(Samples(), "data", "mnist"), Path.Combine(Samples(), "data", "textures"));
        (string Name, IImageSource Source)[] sources =
        [
            ("MNIST", Mnist.Open(mnist, Split.Test)),
            ("MNIST, flips and quarter turns", new AugmentedImages(Mnist.Open(mnist, Split.Test), new HorizontalFlip(), new VerticalFlip(), new QuarterTurns())),
            ("MNIST, random resized crops", new AugmentedImages(Mnist.Open(mnist, Split.Test), new RandomResizedCrop(28, 28))),
            ("textures, 28×28", TextureCrops.Open(textures, Split.Train)),
            ("textures, 64×64", TextureCrops.Open(textures, Split.Train, new TextureCropOptions { Size = 64 })),
        ];
        foreach (var (name, source) in sources)
        {
            using (source)
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {Enumerable.Range(0, Rounds).Max(_ => ImagesPerSecond(source)):N0} |"));
            }
        }
    }

    private static double ImagesPerSecond(IImageSource source)
    {
        const int batches = 50;
        using var loader = new BatchLoader(source, BatchSize, seed: 1, batches + 1, new LoaderOptions { Prefetch = 0 });
        loader.Read(0).Dispose();
        var watch = Stopwatch.StartNew();
        for (var step = 1; step <= batches; step++)
        {
            loader.Read(step).Dispose();
        }

        return batches * BatchSize / watch.Elapsed.TotalSeconds;
    }

    private static void Training(RunOptions options, int steps)
    {
        Console.WriteLine($"\n{options.Data.Kind}, {steps} steps of {options.Training.BatchSize} images, {get_num_threads()} threads\n\n| batches ahead | ms a step | waiting for images (ms a step) | share |\n|---|---|---|---|");
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var prefetch in new[] { 0, 2 })
            {
                Train(options, steps, prefetch);
            }
        }
    }

    private static void Train(RunOptions options, int steps, int prefetch)
    {
        using var images = options.Data.Open();
        using var network = options.CreateNetwork();
        var training = options.Training with { Steps = steps + WarmUp, Epochs = null, Loader = options.Training.Loader with { Prefetch = prefetch } };
        using var trainer = options.CreateTrainer(network, images, training);
        var done = trainer.Steps(images).Skip(WarmUp).ToList();
        var (step, waited) = (done.Average(each => each.Duration.TotalMilliseconds), done.Average(each => each.DataWait.TotalMilliseconds));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {prefetch} | {step:f1} | {waited:f2} | {waited / step:p2} |"));
    }

    private static string Samples() => Path.Combine(Golden.Folder, "..", "..", "samples");
}
