using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Timesteps → a learned vector: sinusoidal embedding, linear, SiLU, linear.</summary>
/// <remarks>Denoising Diffusion Probabilistic Models, arXiv:2006.11239, appendix B.</remarks>
public sealed class TimeEmbedding : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "linear1")]
    private readonly Linear _linear1;

    [ComponentName(Name = "linear2")]
    private readonly Linear _linear2;

    private readonly int _dimension;

    /// <summary>Makes the embedding.</summary>
    /// <param name="dimension">Its width, even.</param>
    /// <param name="generator">Draws the initial weights.</param>
    public TimeEmbedding(int dimension, Generator? generator = null)
        : base(nameof(TimeEmbedding))
    {
        _dimension = dimension;
        _linear1 = new Linear(dimension, dimension, generator: generator);
        _linear2 = new Linear(dimension, dimension, generator: generator);
        RegisterComponents();
    }

    /// <summary>Embeds timesteps.</summary>
    /// <param name="timesteps">[B].</param>
    /// <returns>[B, dimension], the type of the weights.</returns>
    public override Tensor forward(Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        var waves = SinusoidalEmbedding.Embed(timesteps, _dimension).to(_linear1.Weight.dtype);
        return _linear2.call(nn.functional.silu(_linear1.call(waves))).MoveToOuterDisposeScope();
    }
}
