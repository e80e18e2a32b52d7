using System.CommandLine;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>Changes images: made noisy, and denoised again.</summary>
internal static class ImageToImageCommand
{
    private const int DefaultCount = 8;

    private static readonly Option<double> s_strength = NumberOption.WithDefault("--strength", 0.5, "The share of the steps that are run, in (0, 1]: how much is changed.");

    public static Command Create() => DrawingOptions.Command(
        "img2img", "Change images: img2img.png has the originals above the results.", Run, InputImages.Files, InputImages.Data, ImageCodecs.Name, s_strength);

    private static void Run(ParseResult arguments, CancellationToken cancellation)
    {
        InputImages.ThrowIfUnused(arguments);
        var shared = DrawingOptions.Read(arguments);
        using var model = TrainedModel.Load(shared);
        InputImages.ThrowIfCodecUnused(arguments, model);
        shared.ThrowIfGuidedWithoutLabel();
        using var scope = NewDisposeScope();
        var images = InputImages.Read(arguments, model, shared.Count ?? DefaultCount);
        var (sampler, strength) = (model.CreateSampler(), arguments.GetValue(s_strength));
        var steps = sampler.Levels(model.Denoiser.Schedule).Count - 1;
        var first = UsageException.Unless(() => ImageToImage.FirstStep(steps, strength));
        var result = Picture.Draw($"Changing {images.shape[0]} images", steps - first, progress =>
            ImageToImage.Sample(sampler, model.Denoiser, images, strength, model.Options.Sampling.Seed, progress, cancellationToken: cancellation));
        Picture.Save(shared.Out, "img2img", cat([images, result.cpu()]), (int)images.shape[0], FormattableString.Invariant($"originals above results, strength {strength}, {steps - first} of {steps} steps"));
    }
}
