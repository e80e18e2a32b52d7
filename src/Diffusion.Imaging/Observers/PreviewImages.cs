using System.Globalization;
using static TorchSharp.torch;

namespace Diffusion.Imaging;

/// <summary>
/// Draws images from time to time, from the same noise each time, so that one sees what the network has learned: with the averaged weights to <c>step-00001000.png</c>,
/// reported to the other observers as <c>preview</c>, and with the weights as they are to <c>step-00001000-raw.png</c>, <c>preview_raw</c>. A class-conditional network
/// draws all classes in turn. Training is not disturbed: a run with previews ends with the same bits as one without.
/// </summary>
public sealed class PreviewImages : TrainingObserver
{
    private readonly string _folder;
    private readonly Sampler _sampler;
    private readonly PreviewOptions _options;
    private int _steps;
    private DrawnConditions? _conditions;
    private ImageShape _shape;

    /// <summary>Makes an observer.</summary>
    /// <param name="folder">The folder of the pictures, made if need be.</param>
    /// <param name="sampler">Draws the images. Its steps are what a preview costs: one evaluation of the network for each, and as many again for the weights as they are.</param>
    /// <param name="options">How many images, when, and more; the defaults if <see langword="null"/>.</param>
    /// <exception cref="ArgumentException">The options have mistakes.</exception>
    public PreviewImages(string folder, Sampler sampler, PreviewOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(sampler);
        (_folder, _sampler, _options) = (folder, sampler, options ?? new PreviewOptions());
        _options.ThrowIfInvalid(nameof(options));
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The network takes a condition and there is none, or there is guidance and no condition or null condition; or the images have other than 1 or 3 channels, as latents do.</exception>
    /// <exception cref="ArgumentException">The sampler does not fit the schedule.</exception>
    public override void OnStart(Trainer trainer, IImageSource images)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentNullException.ThrowIfNull(images);
        (_steps, _shape) = (trainer.Options.StepsFor(images.Count), images.Shape);
        if (_shape.Channels is not (1 or 3))
        {
            throw new InvalidOperationException($"Previews are grey or coloured pictures, of 1 or 3 channels; those of '{images.Name}' have {_shape.Channels}. Draw such previews, decoded latents for example, in an observer of your own.");
        }

        _conditions = new DrawnConditions(trainer, images, _options.Condition, new GuidanceOptions { Scale = _options.Guidance, SigmaMin = _options.GuidanceSigmaMin, SigmaMax = _options.GuidanceSigmaMax }, _options.Clip, "Previews");
        _sampler.Levels(trainer.Denoiser.Schedule); // throws now if they do not fit, and not in an hour
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">A picture cannot be written.</exception>
    public override void OnStep(Trainer trainer, TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentNullException.ThrowIfNull(step);
        if (step.Number % _options.Every != 0 && step.Number != _steps)
        {
            return;
        }

        Draw(trainer, trainer.Ema, "preview", "");
        if (_options.Raw)
        {
            Draw(trainer, trainer.Denoiser, "preview_raw", "-raw");
        }
    }

    private void Draw(Trainer trainer, IDenoiser denoiser, string name, string suffix)
    {
        using var images = _sampler.Sample(_conditions!.Bind(denoiser, 0, _options.Count), _shape.Batch(_options.Count), _options.Seed);
        using var finite = images.nan_to_num(0); // a network that diverged draws a grey picture instead of ending the run
        var columns = _options.Columns ?? ImageGrid.ColumnsFor(_options.Count, Math.Max(1, _conditions.Classes));
        using var png = new MemoryStream();
        ImageFile.DefaultCodec.EncodePng(png, ImageGrid.Compose(finite, columns, scale: _options.Scale));
        var path = Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"step-{trainer.StepsDone:D8}{suffix}.png"));
        var bytes = png.ToArray();
        AtomicFile.Write(path, stream => stream.Write(bytes));
        trainer.Report(new TrainingPicture(trainer.StepsDone, name, bytes));
    }
}
