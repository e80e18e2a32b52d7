namespace Diffusion.Kernels;

/// <summary>How a <see cref="TileProduct"/> is cut into sums that fit into registers.</summary>
/// <param name="Registers">The registers and their instructions.</param>
/// <param name="Rows">The rows of a block.</param>
/// <param name="Vectors">The vectors of a row of a block: the columns of a product are done one block after the other.</param>
/// <param name="Blocks">How many such blocks stand beside each other.</param>
internal readonly record struct TileBlock(VectorRegisters Registers, int Rows, int Vectors, int Blocks)
{
    /// <summary>The register of the factor of a row; those before it hold columns.</summary>
    public int Factor => Registers.Level == ProcessorLevel.Avx2 ? 3 : 4;

    /// <summary>The first register of sums.</summary>
    public int FirstSum => Registers.Level == ProcessorLevel.Avx2 ? 4 : 16;

    /// <summary>The blocks of a product of so many rows and lanes: as many sums as there are registers for, or enough that one is ready when it is added to again.</summary>
    public static TileBlock Of(ProcessorLevel level, int rows, int lanes)
    {
        var registers = new VectorRegisters(level, Math.Min(lanes, level == ProcessorLevel.Avx2 ? 8 : 16));
        var all = lanes / registers.Lanes;
        if (level != ProcessorLevel.Avx2)
        {
            return new(registers, rows, all, 1);
        }

        var vectors = all % 3 == 0 ? 3 : Math.Min(all, 2);
        return new(registers, vectors == 1 ? Math.Min(rows, 8) : 4, vectors, all / vectors);
    }
}
