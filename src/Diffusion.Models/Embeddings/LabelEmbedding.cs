using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Labels → vectors of the width of the time embedding: a row of a table, or linear, SiLU, linear of the waves of a number, or as they are.</summary>
/// <remarks>Diffusion Models Beat GANs on Image Synthesis, arXiv:2105.05233, section 3: the label's vector is added to the time embedding.</remarks>
internal sealed class LabelEmbedding : nn.Module
{
    [ComponentName(Name = "table")]
    private readonly Embedding? _table;

    [ComponentName(Name = "linear1")]
    private readonly Linear? _linear1;

    [ComponentName(Name = "linear2")]
    private readonly Linear? _linear2;

    private readonly LabelOptions _options;
    private readonly int _dimension;

    public LabelEmbedding(LabelOptions options, int dimension, TimeEmbeddingOptions time, Generator? generator)
        : base(nameof(LabelEmbedding))
    {
        (_options, _dimension) = (options, dimension);
        _table = options.Kind == LabelKind.Table ? new Embedding(options.Classes, dimension, generator) : null;
        if (options.Kind == LabelKind.Timestep)
        {
            _linear1 = new Linear(time.Width ?? dimension, dimension, generator: generator);
            _linear2 = new Linear(dimension, dimension, generator: generator);
        }

        RegisterComponents();
    }

    /// <summary>Embeds labels.</summary>
    /// <param name="labels">[B] or [1]; vectors [B, dimension] or [1, dimension] where labels are taken as they are.</param>
    /// <param name="batch">B.</param>
    /// <param name="time">Makes the waves of a number.</param>
    /// <returns>[B, dimension] or [1, dimension].</returns>
    public Tensor Embed(Tensor labels, long batch, TimeEmbedding time)
    {
        Check(labels, batch);
        using var scope = NewDisposeScope();
        var vectors = _options.Kind switch
        {
            LabelKind.Table => Rows(labels),
            LabelKind.Timestep => _linear2!.call(nn.functional.silu(_linear1!.call(time.Waves(labels)))),
            _ => labels.alias(),
        };
        return vectors.MoveToOuterDisposeScope();
    }

    private Tensor Rows(Tensor labels)
    {
        try
        {
            return _table!.call(labels);
        }
        catch (ArgumentException error)
        {
            throw new ArgumentException(
                $"A label is not in the network's table of {_options.Classes} rows ({nameof(LabelOptions)}.{nameof(LabelOptions.Classes)}: the classes of the images and, for guidance, one more for the null label). {error.Message}", error);
        }
    }

    private void Check(Tensor labels, long batch)
    {
        var vectors = _options.Kind == LabelKind.Identity;
        var shape = labels.shape;
        if (shape.Length != (vectors ? 2 : 1) || (shape[0] != batch && shape[0] != 1) || (vectors && shape[1] != _dimension))
        {
            var needed = vectors ? $"[{batch}, {_dimension}], a vector an image, or [1, {_dimension}]" : $"[{batch}], one an image, or [1]";
            throw new ArgumentException($"Labels must have the shape {needed}; the shape is [{string.Join(", ", shape)}].", nameof(labels));
        }
    }
}
