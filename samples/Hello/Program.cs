// The whole library in a page: train a small network on MNIST, draw 64 digits.
// From the repository's root: dotnet run -c Release --project samples/Hello [-- FOLDER [STEPS]]
using System.Globalization;
using Diffusion;
using Diffusion.Imaging;
using Diffusion.Models;

using var unet = UNetBuilder.ForImages(channels: 1, size: 28).Down(32, layers: 1).Down(64, layers: 1).Down(128, layers: 1, attention: true).Mid(128).Build();
using var images = Mnist.Open(args.Length > 0 ? args[0] : "samples/data/mnist", Split.Train);
using var trainer = new Trainer(unet, NoiseSchedule.Linear(), new TrainerOptions { Steps = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 800, LearningRate = 1e-3, Ema = new() { Decay = 0.995 } });
trainer.Fit(images, new Progress<TrainingStep>(step => Console.Write($"\rstep {step.Number}, loss {step.Loss:F4} ")));
using var digits = new DdpmSampler(steps: 200).Sample(trainer.Ema.Limited(ImageLimit.Clip()), shape: [64, 1, 28, 28], seed: 7);
ImageGrid.Save("digits.png", digits, columns: 8);
Console.WriteLine("\nWrote digits.png.");
