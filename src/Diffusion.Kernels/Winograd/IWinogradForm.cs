namespace Diffusion.Kernels;

/// <summary>
/// The transforms of a 3×3 convolution whose outputs are computed a square of m×m at a time, F(m×m, 3×3): Y = Aᵀ[(G g Gᵀ) ∘ (Bᵀ d B)]A, of the (m + 2)×(m + 2) pixels d that the square sees and a kernel g.
/// The values of the product in the middle are its points. Values of neighbouring channels lie in a vector.
/// </summary>
/// <remarks>Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, arXiv:1509.09308, section 4.</remarks>
internal unsafe interface IWinogradForm
{
    /// <summary>m.</summary>
    static abstract int Outputs { get; }

    /// <summary>m + 2.</summary>
    static abstract int Side { get; }

    /// <summary>(m + 2)².</summary>
    static abstract int Points { get; }

    /// <summary>The fewest tiles of a band, where there are too few for every thread to have some.</summary>
    static abstract int MinTilesOfBand { get; }

    /// <summary>How many channels are added up one after the other, a multiple of 32 or <see cref="int.MaxValue"/>, before such sums are added up: the fewer, the less is lost by rounding.</summary>
    static abstract int ChannelsOfSum { get; }

    /// <summary>Bᵀ d B as words.</summary>
    /// <param name="one">Of each pixel of d its channels.</param>
    /// <param name="channel">The first channel.</param>
    /// <param name="other">The pixels of what comes second in a word, where it has two values.</param>
    /// <param name="otherChannel">Its first channel.</param>
    /// <param name="to">The first point; written.</param>
    /// <param name="step">The words from a point to the next.</param>
    static abstract void Input<T, TVector>(float** one, int channel, float** other, int otherChannel, uint* to, long step)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>;

    /// <summary>Aᵀ M A: m×m pixels.</summary>
    /// <param name="points">The points M.</param>
    /// <param name="step">The floats from one to the next.</param>
    /// <param name="start">What is added to each pixel.</param>
    /// <param name="adds">Whether what the pixels hold is added, too.</param>
    /// <param name="pixels">Of each pixel its channels; written.</param>
    /// <param name="channel">The first channel.</param>
    static abstract void Output<TVector>(float* points, long step, TVector start, bool adds, float** pixels, int channel)
        where TVector : unmanaged, IVector<TVector>;

    /// <summary>G g Gᵀ of a kernel g, whose nine values are those of several pairs of channels each.</summary>
    /// <param name="kernel">9 vectors.</param>
    /// <param name="points">Written.</param>
    static abstract void Kernel<TVector>(TVector* kernel, TVector* points)
        where TVector : unmanaged, IVector<TVector>;
}
