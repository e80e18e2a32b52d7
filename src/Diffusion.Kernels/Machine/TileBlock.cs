namespace Diffusion.Kernels;

/// <summary>How a <see cref="TileProduct"/> is cut into blocks whose sums fit into registers: its columns into some blocks beside each other, its rows into blocks of one height, and of a lower one for the rest.</summary>
/// <param name="Registers">The registers and their instructions.</param>
/// <param name="Rows">The rows of a block.</param>
/// <param name="LastRows">The rows of the last blocks, where the others do not fill the product; 0 where they do.</param>
/// <param name="Vectors">The vectors of a row of a block.</param>
/// <param name="Across">How many blocks stand beside each other.</param>
internal readonly record struct TileBlock(VectorRegisters Registers, int Rows, int LastRows, int Vectors, int Across)
{
    /// <summary>The register of the factor of a row; those before it hold columns.</summary>
    public int Factor => Registers.Level == ProcessorLevel.Avx2 ? 3 : 4;

    /// <summary>The first register of sums.</summary>
    public int FirstSum => Registers.Level == ProcessorLevel.Avx2 ? 4 : 16;

    /// <summary>The blocks of a product of so many rows and lanes: enough sums that one is ready when it is added to again, and not more than there are registers for.</summary>
    public static TileBlock Of(ProcessorLevel level, int rows, int lanes)
    {
        var registers = new VectorRegisters(level, Math.Min(lanes, level == ProcessorLevel.Avx2 ? 8 : 16));
        var all = lanes / registers.Lanes;
        return level != ProcessorLevel.Avx2 ? new(registers, rows, 0, all, 1)
            : all == 1 ? new(registers, Math.Min(rows, 8), 0, 1, 1)
            : all % 2 == 0 && rows > 4 ? new(registers, 6, 4, 2, all / 2)
            : all % 3 == 0 ? new(registers, 4, 0, 3, all / 3)
            : new(registers, 4, 0, 2, all / 2);
    }

    /// <summary>How many blocks so many rows are: a multiple of those of the product.</summary>
    public (int Blocks, int LastBlocks) Count(int rows)
    {
        if (LastRows == 0)
        {
            return (rows / Rows, 0);
        }

        var blocks = rows / Rows;
        while ((rows - (blocks * Rows)) % LastRows != 0)
        {
            blocks--;
        }

        return (blocks, (rows - (blocks * Rows)) / LastRows);
    }
}
