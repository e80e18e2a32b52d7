using Diffusion.Models;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>A UNet2DModel or, with a context, a UNet2DConditionModel of diffusers.</summary>
internal sealed record DiffusersNetwork : ComparedNetwork
{
    private const int ContextTokens = 77; // as many as CLIP's text model gives

    private readonly KeyMap _keys;

    private DiffusersNetwork(KeyMap keys) => _keys = keys;

    /// <summary>The block list. It begins as PyTorch's layers do, nothing at zero.</summary>
    public required UNetOptions Options { get; init; }

    public override ImageShape Image => Options.Image;

    public override KeyMap Keys => _keys;

    /// <summary>A network that diffusers describes.</summary>
    public static DiffusersNetwork Of(string name, string what, int trainBatch, int sampleBatch, DiffusersUNet described) => new(described.Keys)
    {
        Name = name, What = what, TrainBatch = trainBatch, SampleBatch = sampleBatch, Options = described.Options with { ZeroInitialize = false },
    };

    public override nn.Module<Tensor, Tensor, Tensor> Ours()
    {
        var network = UNetBuilder.From(Options).Build();
        return Options.Dialect.Context is { } context
            ? new ContextBoundNetwork(network, (images, timesteps, tokens) => network.Predict(images, timesteps, context: tokens), Tokens(context))
            : network;
    }

    public override nn.Module<Tensor, Tensor, Tensor> Eager()
    {
        var network = new EagerDiffusersUNet(EagerDiffusersOptions.Of(Options));
        return Options.Dialect.Context is { } context ? new ContextBoundNetwork(network, network.Run, Tokens(context)) : network;
    }

    /// <summary>A sequence of vectors for each image of the largest batch, the same each time: [B, L, D].</summary>
    private Tensor Tokens(ContextOptions context)
    {
        using var generator = new Generator(7, CPU);
        return randn([Math.Max(TrainBatch, SampleBatch), ContextTokens, context.Channels], ScalarType.Float32, generator: generator);
    }
}
