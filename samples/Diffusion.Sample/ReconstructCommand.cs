using System.CommandLine;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>Turns images into noise and back.</summary>
internal static class ReconstructCommand
{
    private const int DefaultCount = 8;

    public static Command Create() => DrawingOptions.Command(
        "reconstruct", "Turn images into noise and back with DDIM: reconstruct.png has originals, their noise, and what comes back.", Run, InputImages.Files, InputImages.Data, ImageCodecs.Name);

    /// <summary>Both ways of inversion are DDIM's.</summary>
    public static void ThrowUnlessDdim(string? sampler)
    {
        if (sampler is not (null or "ddim"))
        {
            throw new UsageException($"--sampler must be ddim where images are turned into noise, which is DDIM done backwards; it is '{sampler}'.");
        }
    }

    private static void Run(ParseResult arguments, CancellationToken cancellation)
    {
        InputImages.ThrowIfUnused(arguments);
        var shared = DrawingOptions.Read(arguments);
        UsageException.IfUnused("nothing is random on the way to noise and back.", arguments, DrawingOptions.Seed);
        ThrowUnlessDdim(shared.Sampler);
        using var model = TrainedModel.Load(shared with { Sampler = "ddim" });
        InputImages.ThrowIfCodecUnused(arguments, model);
        shared.ThrowIfGuidedWithoutLabel();
        using var scope = NewDisposeScope();
        var images = InputImages.Read(arguments, model, shared.Count ?? DefaultCount);
        var (sampling, steps) = (model.Options.Sampling, model.CreateSampler().Levels(model.Plain.Schedule).Count - 1);
        var latents = Picture.Draw("Images to noise", steps, progress =>
            Reconstruction.Invert(model.Plain, images, sampling.Steps, sampling.CreateSpacing(), progress, cancellation));
        var result = Picture.Draw("Noise to images", steps, progress =>
            Reconstruction.Decode(model.Plain, latents, sampling.Steps, sampling.CreateSpacing(), progress, cancellation)).cpu();
        var error = (result - images).square().mean().sqrt().item<float>();
        // Noise of three standard deviations is as bright as an image can be.
        Picture.Save(shared.Out, "reconstruct", cat([images, latents.cpu() / 3, result]), (int)images.shape[0],
            FormattableString.Invariant($"originals, their noise, reconstructions; {steps} steps either way, root mean square error {error:F4} where black is -1 and white is 1"));
    }
}
