using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>A network of each kind with inputs for it; nothing of it starts at zero, which would hide errors.</summary>
internal sealed class Networks : IDisposable
{
    private Networks(nn.Module module, Func<Tensor> run) => (Module, Run) = (module, run);

    /// <summary>Their names.</summary>
    public static TheoryData<string> Names { get; } = ["course", "ddpm", "labels", "context", "diffusers"];

    public nn.Module Module { get; }

    /// <summary>One forward pass on fixed inputs.</summary>
    public Func<Tensor> Run { get; }

    public static Networks Of(string name, bool checkpointed = false)
    {
        using var generator = new Generator(5, CPU);
        switch (name)
        {
            case "labels":
                var labelled = Build(Small() with { Dialect = new() { Labels = new() { Classes = 11 }, GradientCheckpointing = checkpointed } });
                var (digits, when, labels) = (Draw(2, 1, 28, 28), tensor([30L, 700L]), tensor([3L, 10L]));
                return new(labelled, () => labelled.Predict(digits, when, labels));
            case "context":
                var context = UNetBuilder.From(Small() with { Image = new(3, 16, 16), Dialect = new() { Skips = SkipConnections.Layer, GradientCheckpointing = checkpointed } })
                    .WithContext(new ContextOptions { Channels = 24 }).Build(seed: 2);
                var (images, times, tokens) = (Draw(2, 3, 16, 16), tensor([30L, 700L]), Draw(2, 7, 24));
                return new(context, () => context.Predict(images, times, context: tokens));
            default:
                var options = name switch
                {
                    "course" => UNetPresets.Course(new ImageShape(1, 28, 28)),
                    "ddpm" => UNetPresets.DdpmCifar10(),
                    _ => UNetPresets.ImprovedDiffusion(32) with { Image = new(3, 16, 16), TimeDimension = 64 },
                };
                options = options with { ZeroInitialize = false, Dialect = options.Dialect with { GradientCheckpointing = checkpointed } };
                var unet = Build(options);
                var (noisy, timesteps) = (Draw(1, options.Image.Channels, options.Image.Height, options.Image.Width), tensor([300L]));
                unet.eval(); // no dropout, whose draws would differ
                return new(unet, () => unet.call(noisy, timesteps));
        }

        Tensor Draw(params long[] shape) => randn(shape, generator: generator);
    }

    public void Dispose() => Module.Dispose();

    private static UNet Build(UNetOptions options) => UNetBuilder.From(options).Build(seed: 2);

    private static UNetOptions Small() => new()
    {
        Image = new ImageShape(1, 28, 28),
        StemChannels = 16,
        Down = [new() { Channels = 16, Layers = 1 }, new() { Channels = 64, Layers = 1, Attention = true }],
        Mid = [new() { Channels = 64, Layers = 1, Attention = true }],
        TimeDimension = 32,
        ZeroInitialize = false,
    };
}
