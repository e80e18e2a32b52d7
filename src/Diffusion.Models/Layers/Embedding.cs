using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>A learned row for each whole number: PyTorch's <c>nn.Embedding</c>, initialised from a generator.</summary>
/// <remarks>State: <c>weight</c> [rows, width], float32 on the CPU until the module is moved, drawn from N(0, 1), PyTorch's default.</remarks>
internal sealed class Embedding : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private readonly Parameter _weight;

    /// <summary>Makes a table.</summary>
    /// <param name="rows">The number of rows, at least 1.</param>
    /// <param name="width">The length of a row, at least 1.</param>
    /// <param name="generator">What the initial values are drawn from. <see langword="null"/>: libtorch's global generator.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    public Embedding(int rows, int width, Generator? generator = null)
        : base(nameof(Embedding))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        (Rows, Width) = (rows, width);
        _weight = LayerParameter.Normal([rows, width], 1, generator);
        RegisterComponents();
    }

    /// <summary>The number of rows.</summary>
    public int Rows { get; }

    /// <summary>The length of a row.</summary>
    public int Width { get; }

    /// <summary>The table, [rows, width]; the module owns it.</summary>
    public Parameter Weight => _weight;

    /// <summary>Looks rows up.</summary>
    /// <param name="indices">[B], whole numbers in [0, rows − 1], of any type. On the CPU they are checked; elsewhere that would wait for the device.</param>
    /// <returns>[B, width].</returns>
    /// <exception cref="ArgumentException">They are not a vector, or one is no row.</exception>
    public override Tensor forward(Tensor indices)
    {
        ArgumentNullException.ThrowIfNull(indices);
        if (indices.dim() != 1)
        {
            throw new ArgumentException($"Indices must be a vector [B]; the shape is [{string.Join(", ", indices.shape)}].", nameof(indices));
        }

        using var scope = NewDisposeScope();
        var rows = indices.to(ScalarType.Int64);
        if (indices.device_type == TorchSharp.DeviceType.CPU && indices.numel() > 0)
        {
            Check(indices, rows);
        }

        return _weight.index_select(0, rows).MoveToOuterDisposeScope(); // [rows, width] → [B, width]
    }

    private void Check(Tensor indices, Tensor rows)
    {
        if (indices.is_floating_point() && !rows.to(indices.dtype).eq(indices).all().item<bool>())
        {
            throw new ArgumentException("Rows of a table are whole numbers; a fraction was given.", nameof(indices));
        }

        var (min, max) = (rows.min().item<long>(), rows.max().item<long>());
        if (min < 0 || max >= Rows)
        {
            throw new ArgumentException($"Rows of this table are in [0, {Rows - 1}]; {(min < 0 ? min : max)} was given.", nameof(indices));
        }
    }
}
