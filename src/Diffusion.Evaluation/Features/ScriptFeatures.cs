using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>
/// The features of a network that you bring as a TorchScript file, such as Inception or DINOv2. It runs in libtorch's own convolutions, which are silently wrong for some numbers of channels: before it is used it is
/// compared with itself in float64, and where it differs by more than rounding it runs in float64. On the CPU, without gradients, for one thread at a time.
/// </summary>
public sealed class ScriptFeatures : IFeatureExtractor
{
    private const int AtOnce = 32; // images in a call of the network
    private const int NameLetters = 12;

    private readonly ScriptNetwork _network;
    private readonly ScriptInput _input;

    private ScriptFeatures(ScriptNetwork network, ScriptInput input, string name, ScriptCheck check) =>
        (_network, _input, Name, Features, Deviation) = (network, input, name, check.Features, check.Deviation);

    /// <summary><c>script-</c> and a hash of the file, such as <c>script-0123456789ab</c>, then the options that are not the defaults: the same on every machine.</summary>
    public string Name { get; }

    /// <inheritdoc/>
    public int Features { get; }

    /// <summary>The type of numbers that the network runs in: float32, or float64 where float32 is wrong on this machine.</summary>
    public ScalarType Precision => _network.Type;

    /// <summary>
    /// The largest difference of its features in float32 from those in float64, as a share of the largest feature; infinite where float32 gives what is no finite number. <see langword="null"/> where the network does
    /// not run in float64, so that nothing could be compared: its figures are then as good as libtorch's convolutions are.
    /// </summary>
    public double? Deviation { get; }

    /// <summary>What belongs beside its figures, as a sentence; <see langword="null"/> where it is as right in float32 as in float64.</summary>
    internal string? Remark => Deviation is not { } deviation
        ? $"{Name}: computed in float32 and not compared with float64, in which the network does not run; libtorch computes some convolutions wrongly, so its figures may be wrong on this machine."
        : Precision == ScalarType.Float64 ? $"{Name}: computed in float64, for float32 {(double.IsFinite(deviation) ? FormattableString.Invariant($"differs from it by {deviation:G2} of the largest feature") : "gives no finite numbers")} on this machine."
        : null;

    /// <summary>Loads a network and checks it on a few images of noise.</summary>
    /// <param name="path">A file that <c>torch.jit.save</c> wrote, of a network [B, C, H, W] → [B, D] or [B, D, 1, 1].</param>
    /// <param name="images">The shape of the images that will be given.</param>
    /// <param name="options">What the network takes; by default float32 of 0 to 255, in the shape of the images.</param>
    /// <returns>For the caller to dispose.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is no TorchScript, libtorch lacks an operator, or the network does not take such images or gives no features; the message names the file.</exception>
    /// <exception cref="ArgumentException">An option is outside its range, or does not fit the images.</exception>
    public static ScriptFeatures Load(string path, ImageShape images, ScriptFeaturesOptions? options = null)
    {
        options ??= new ScriptFeaturesOptions();
        options.ThrowIfInvalid();
        var input = new ScriptInput(images, options);
        var archive = ScriptArchive.Open(path);
        var (network, check) = ScriptCheck.Choose(archive, input);
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        return new ScriptFeatures(network, input, $"script-{Fingerprints.OfFile(file)[..NameLetters]}{options.Description}", check);
    }

    /// <summary>The features of a batch.</summary>
    /// <param name="images">[B, C, H, W] of the shape that was given, uint8, 0 to 255.</param>
    /// <returns>[B, D], float32, on the CPU, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The images have another shape, or are not uint8.</exception>
    /// <exception cref="InvalidDataException">The network fails, or gives what is no finite number.</exception>
    public Tensor Extract(Tensor images)
    {
        _input.Check(images, nameof(images));
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var features = cat([.. images.cpu().split(AtOnce).Select(part => _network.Run(_input.Of(part, _network.Type)))]).to(ScalarType.Float32);
        return features.isfinite().all().item<bool>()
            ? features.MoveToOuterDisposeScope()
            : throw new InvalidDataException($"The network {Name} gave features that are no finite numbers.");
    }

    /// <inheritdoc/>
    public void Dispose() => _network.Dispose();
}
