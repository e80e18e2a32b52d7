using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Timesteps → a learned vector: waves or a row of a table, linear, SiLU, linear.</summary>
/// <remarks>Denoising Diffusion Probabilistic Models, arXiv:2006.11239, appendix B.</remarks>
internal sealed class TimeEmbedding : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "linear1")]
    private readonly Linear _linear1;

    [ComponentName(Name = "linear2")]
    private readonly Linear _linear2;

    [ComponentName(Name = "waves")]
    private readonly nn.Module<Tensor, Tensor>? _waves;

    private readonly TimeEmbeddingOptions _options;

    /// <summary>Makes a sinusoidal embedding.</summary>
    /// <param name="dimension">Its width, even.</param>
    /// <param name="generator">Draws the initial weights.</param>
    public TimeEmbedding(int dimension, Generator? generator = null)
        : this(dimension, new TimeEmbeddingOptions(), generator)
    {
    }

    internal TimeEmbedding(int dimension, TimeEmbeddingOptions options, Generator? generator)
        : base(nameof(TimeEmbedding))
    {
        _options = options;
        var width = options.Width ?? dimension;
        _linear1 = new Linear(width, dimension, generator: generator);
        _linear2 = new Linear(dimension, dimension, generator: generator);
        _waves = options.Kind switch
        {
            TimeEmbeddingKind.Fourier => new FourierWaves(width, options, generator),
            TimeEmbeddingKind.Table => new Embedding(options.Steps, width, generator),
            _ => null,
        };
        RegisterComponents();
    }

    /// <summary>Embeds timesteps.</summary>
    /// <param name="timesteps">[B].</param>
    /// <returns>[B, dimension], the type of the weights.</returns>
    public override Tensor forward(Tensor timesteps)
    {
        using var waves = Waves(timesteps);
        using var hidden = _linear1.call(waves);
        using var activated = nn.functional.silu(hidden);
        return _linear2.call(activated);
    }

    /// <summary>What enters the first linear map: [B] → [B, width], the type of the weights.</summary>
    internal Tensor Waves(Tensor timesteps) => _waves is not null
        ? _waves.call(timesteps)
        : SinusoidalEmbedding.Embed(timesteps, _linear1.InFeatures, _options).to(_linear1.Weight.dtype);
}
