using static TorchSharp.torch;

namespace Diffusion;

/// <summary>One of the 2^level equal parts of [0, 1], with the path's values at its ends, in double precision.</summary>
/// <param name="Level">How often [0, 1] was halved.</param>
/// <param name="Index">Which part, from 0.</param>
/// <param name="Left">W at the start.</param>
/// <param name="Right">W at the end.</param>
/// <param name="Made">What was made for this interval and ends with it; the rest belongs to larger intervals.</param>
internal sealed record BrownianInterval(int Level, long Index, Tensor Left, Tensor Right, params Tensor[] Made) : IDisposable
{
    /// <summary>A number of its own among the intervals of all levels, at least 1.</summary>
    public long Node => (1L << Level) + Index;

    private double Width => 1.0 / (1L << Level);

    private double Start => Index * Width;

    public bool Contains(double clock) => clock >= Start && clock <= Start + Width;

    /// <summary>The half that contains the time: the middle is drawn from the Brownian bridge between the ends, of variance width/4.</summary>
    public BrownianInterval Half(double clock, Tensor noise)
    {
        var middle = (Left + Right).mul_(0.5).add_(noise, alpha: Math.Sqrt(Width) / 2);
        return clock < Start + (Width / 2)
            ? new BrownianInterval(Level + 1, 2 * Index, Left, middle, middle)
            : new BrownianInterval(Level + 1, (2 * Index) + 1, middle, Right, middle);
    }

    /// <summary>W at a time within, drawn from the Brownian bridge between the ends; at the ends their values, to the bit. A new tensor.</summary>
    public Tensor At(double clock, Tensor noise)
    {
        var share = (clock - Start) / Width;
        return share switch
        {
            0 => Left.clone(),
            1 => Right.clone(),
            _ => (Left * (1 - share)).add_(Right, alpha: share).add_(noise, alpha: Math.Sqrt(share * (1 - share) * Width)),
        };
    }

    /// <summary>Takes what was made out of its dispose scope.</summary>
    public void Keep()
    {
        foreach (var made in Made)
        {
            made.DetachFromDisposeScope();
        }
    }

    public void Dispose()
    {
        foreach (var made in Made)
        {
            made.Dispose();
        }
    }
}
