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

    /// <summary>The context; <see langword="null"/> without one.</summary>
    public ContextOptions? Context { get; init; }

    public override ImageShape Image => Options.Image;

    public override KeyMap Keys => _keys;

    /// <summary>A UNet2DModel.</summary>
    public static DiffusersNetwork Of(string name, string what, int trainBatch, int sampleBatch, DiffusersUNet2D described) => new(described.Keys)
    {
        Name = name, What = what, TrainBatch = trainBatch, SampleBatch = sampleBatch, Options = described.Options with { ZeroInitialize = false },
    };

    /// <summary>A UNet2DConditionModel.</summary>
    public static DiffusersNetwork Of(string name, string what, int trainBatch, int sampleBatch, DiffusersUNet2DCondition described) => new(described.Keys)
    {
        Name = name, What = what, TrainBatch = trainBatch, SampleBatch = sampleBatch, Options = described.Options with { ZeroInitialize = false }, Context = described.Context,
    };

    public override nn.Module<Tensor, Tensor, Tensor> Ours()
    {
        var builder = UNetBuilder.From(Options);
        if (Context is null)
        {
            return builder.Build();
        }

        var network = builder.BuildWithContext(Context);
        return new ContextBoundNetwork(network, network.call, Tokens(Context));
    }

    public override nn.Module<Tensor, Tensor, Tensor> Eager()
    {
        var network = new EagerDiffusersUNet(EagerDiffusersOptions.Of(Options, Context));
        return Context is null ? network : new ContextBoundNetwork(network, network.Run, Tokens(Context));
    }

    /// <summary>A sequence of vectors for each image of the largest batch, the same each time: [B, L, D].</summary>
    private Tensor Tokens(ContextOptions context)
    {
        using var generator = new Generator(7, CPU);
        return randn([Math.Max(TrainBatch, SampleBatch), ContextTokens, context.Channels], ScalarType.Float32, generator: generator);
    }
}
