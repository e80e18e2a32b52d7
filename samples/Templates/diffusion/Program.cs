// Trains a diffusion model on the images of a folder, draws new ones like them, and saves these as a grid: out/samples.png.
//
//   dotnet run -c Release -- FOLDER [STEPS]
//
// The same command goes on with a run that was stopped. To begin again, with other images or after a change below, remove the folder out.
using System.Globalization;
using Diffusion;
using Diffusion.Imaging;
using Diffusion.Models;

const int Size = 32;     // every image becomes so many pixels high and wide
const int Channels = 3;  // red, green and blue; 1 for grey
const int Usual = 3000;  // steps: more of them, better images; see how the loss falls

var steps = Usual;
if (args.Length is 0 or > 2)
{
    Console.Error.WriteLine("Usage: dotnet run -c Release -- FOLDER [STEPS]");
    Console.Error.WriteLine($"FOLDER holds PNG, JPEG, WebP, BMP or GIF files, in subfolders or not. STEPS is a number from 1 on, {Usual} by default.");
    return 2;
}

if (!Directory.Exists(args[0]))
{
    Console.Error.WriteLine($"There is no folder '{Path.GetFullPath(args[0])}'. Give the one with your images.");
    return 2;
}

if (args.Length == 2 && (!int.TryParse(args[1], CultureInfo.InvariantCulture, out steps) || steps < 1))
{
    Console.Error.WriteLine($"STEPS must be a number from 1 on; it is '{args[1]}'.");
    return 2;
}

try
{
    Run(args[0], steps);
    return 0;
}
catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or InvalidOperationException) // no images, no room on the disk, other images than the run in out was started on: the message says what
{
    Console.Error.WriteLine(e.Message);
    return 1;
}

static void Run(string folder, int steps)
{
    DiffusionRuntime.KeepFreedMemory();       // each step takes the same memory again
    DiffusionRuntime.WaitWithoutSpinning();   // better on few processors

    // Subfolders are read, but they are no classes here: docs/tutorials/your-own-pictures.md of the library, "Labels from folders", shows what to change to draw one class.
    using var images = ImageFolder.Open(folder, new ImageFolderOptions { Width = Size, Height = Size, Channels = Channels, Labels = false, SkipCorrupt = true });
    Console.WriteLine($"{images.Count} images");
    if (images.LeftOut.Count > 0)
    {
        Console.WriteLine($"Left out: {string.Join(", ", images.LeftOut.Select(kind => $"{kind.Count} {kind.What}"))}");
    }

    foreach (var (path, reason) in images.SkippedFiles)
    {
        Console.WriteLine($"  {path}: {reason}");
    }

    // A U-Net: 32 channels at the full size, 64 at half of it, 128 at a quarter. More channels and layers learn more, and take longer.
    using var network = UNetBuilder.ForImages(images.Shape).Down(32, layers: 1).Down(64, layers: 1).Down(128, layers: 1, attention: true).Mid(128).Build();

    using var trainer = new Trainer(
        network,
        NoiseSchedule.Cosine(),
        new TrainerOptions
        {
            Steps = steps,
            BatchSize = 16,
            LearningRate = 1e-3,
            Ema = new() { Decay = 0.995 },   // the average of the weights draws better than the last ones
            Checkpoints = new() { Folder = "out/checkpoints", Every = 500 },
        },
        Parameterization.Velocity);

    trainer.Resume();
    trainer.Fit(images, new Progress<TrainingStep>(step => Console.Write($"\rstep {step.Number} of {steps}, loss {step.Loss:F4} ")));
    trainer.Export("out");   // the weights: out/model.safetensors, and averaged out/ema.safetensors

    using var drawn = new DpmSolverSampler(steps: 20).Sample(trainer.Ema.Limited(ImageLimit.Clip()), shape: [16, Channels, Size, Size], seed: 1);
    ImageGrid.Save("out/samples.png", drawn, columns: 4, scale: 2);
    Console.WriteLine("\nWrote out/samples.png.");
}
