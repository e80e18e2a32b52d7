using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// Layers for networks of your own, in place of those of <c>torch.nn</c>: the same shapes, names of weights and initial values. They are faster on the CPU, follow <see cref="ComputePrecision"/>,
/// draw from a generator, and are right where libtorch's own convolutions on the CPU compute wrong gradients (<see cref="KernelCheck"/>).
/// </summary>
/// <remarks>
/// Weights are float32 on the CPU until the module is moved. No layer changes or disposes its input. In mixed precision inputs may also be bfloat16, which is then the type of the output. A layer throws
/// <see cref="ArgumentException"/> for an input of another shape. <c>generator</c> is what initial values are drawn from; <see langword="null"/> (default) is libtorch's global generator.
/// </remarks>
/// <example><code>
/// [ComponentName(Name = "conv")] private readonly nn.Module&lt;Tensor, Tensor&gt; _conv = Layers.Conv2d(1, 32, 3, padding: 1);
/// </code></example>
public static class Layers
{
    /// <summary>A convolution with a square kernel, PyTorch's <c>nn.Conv2d</c>: [B, inChannels, H, W] → [B, outChannels, ⌊(H + 2·padding − k)/stride⌋ + 1, likewise W].</summary>
    /// <remarks>
    /// State: <c>weight</c> [outChannels, inChannels, k, k] and <c>bias</c> [outChannels], drawn from U(−1/√n, 1/√n), n = inChannels·k². Fastest on the CPU are 3×3 kernels with stride 1, a padding of 1 and
    /// channels that are multiples of 16, and 1×1 kernels.
    /// </remarks>
    /// <param name="inChannels">The channels of the input, at least 1.</param>
    /// <param name="outChannels">The channels of the output, at least 1.</param>
    /// <param name="kernelSize">The height and width k of the kernel in pixels, at least 1.</param>
    /// <param name="stride">The step of the kernel in pixels, at least 1; 1 by default.</param>
    /// <param name="padding">The rows and columns of zeros added at each edge, at least 0; 0 by default.</param>
    /// <param name="bias">Whether a bias is added to each output channel; it is by default.</param>
    /// <param name="generator">Draws weight, then bias.</param>
    /// <returns>The layer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public static nn.Module<Tensor, Tensor> Conv2d(int inChannels, int outChannels, int kernelSize, int stride = 1, int padding = 0, bool bias = true, Generator? generator = null) =>
        new Conv2d(inChannels, outChannels, kernelSize, stride, padding, bias, generator);

    /// <summary>A transposed convolution with a square kernel, PyTorch's <c>nn.ConvTranspose2d</c>: [B, inChannels, H, W] → [B, outChannels, (H − 1)·stride − 2·padding + k, likewise W].</summary>
    /// <remarks>
    /// Kernel 4, stride 2 and padding 1 double height and width. State: <c>weight</c> [inChannels, outChannels, k, k] and <c>bias</c> [outChannels], drawn from U(−1/√n, 1/√n), n = outChannels·k².
    /// </remarks>
    /// <param name="inChannels">The channels of the input, at least 1.</param>
    /// <param name="outChannels">The channels of the output, at least 1.</param>
    /// <param name="kernelSize">The height and width k of the kernel in pixels, at least 1.</param>
    /// <param name="stride">The distance of two input pixels in the output, in pixels, at least 1; 1 by default.</param>
    /// <param name="padding">The rows and columns cut off at each edge of the output, at least 0; 0 by default.</param>
    /// <param name="bias">Whether a bias is added to each output channel; it is by default.</param>
    /// <param name="generator">Draws weight, then bias.</param>
    /// <returns>The layer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public static nn.Module<Tensor, Tensor> ConvTranspose2d(int inChannels, int outChannels, int kernelSize, int stride = 1, int padding = 0, bool bias = true, Generator? generator = null) =>
        new ConvTranspose2d(inChannels, outChannels, kernelSize, stride, padding, bias, generator);

    /// <summary>A linear map of the last dimension, PyTorch's <c>nn.Linear</c>: […, inFeatures] → […, outFeatures].</summary>
    /// <remarks>State: <c>weight</c> [outFeatures, inFeatures] and <c>bias</c> [outFeatures], drawn from U(−1/√inFeatures, 1/√inFeatures).</remarks>
    /// <param name="inFeatures">The length of the input's last dimension, at least 1.</param>
    /// <param name="outFeatures">The length of the output's last dimension, at least 1.</param>
    /// <param name="bias">Whether a bias is added; it is by default.</param>
    /// <param name="generator">Draws weight, then bias.</param>
    /// <returns>The layer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    public static nn.Module<Tensor, Tensor> Linear(int inFeatures, int outFeatures, bool bias = true, Generator? generator = null) => new Linear(inFeatures, outFeatures, bias, generator);

    /// <summary>A learned row for each whole number, PyTorch's <c>nn.Embedding</c>: [B], in [0, rows − 1], of any number type → [B, width].</summary>
    /// <remarks>State: <c>weight</c> [rows, width], drawn from N(0, 1). Numbers are checked on the CPU only; elsewhere that would wait for the device.</remarks>
    /// <param name="rows">The number of rows, at least 1.</param>
    /// <param name="width">The length of a row, at least 1.</param>
    /// <param name="generator">Draws the table.</param>
    /// <returns>The layer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    public static nn.Module<Tensor, Tensor> Embedding(int rows, int width, Generator? generator = null) => new Embedding(rows, width, generator);

    /// <summary>Normalises groups of channels to mean 0 and variance 1, then scales and shifts each channel, PyTorch's <c>nn.GroupNorm</c>: [B, channels, …] → the same shape.</summary>
    /// <remarks>Wu and He, arXiv:1803.08494. State: <c>weight</c> [channels], 1 at the start (TorchSharp's module leaves it uninitialised), and <c>bias</c> [channels], 0 at the start.</remarks>
    /// <param name="groups">The number of groups, at least 1; it divides <paramref name="channels"/>.</param>
    /// <param name="channels">The channels of the input, at least 1.</param>
    /// <param name="eps">What is added to the variance, above 0; 1e-5 by default, as in PyTorch.</param>
    /// <returns>The layer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    /// <exception cref="ArgumentException">The groups do not divide the channels.</exception>
    public static nn.Module<Tensor, Tensor> GroupNorm(int groups, int channels, double eps = 1e-5) => new GroupNorm(groups, channels, eps);

    /// <summary>Normalises the last dimension to mean 0 and variance 1, then scales and shifts each feature, PyTorch's <c>nn.LayerNorm</c> of one dimension: […, features] → the same shape.</summary>
    /// <remarks>Ba, Kiros and Hinton, arXiv:1607.06450. State: <c>weight</c> [features], 1 at the start, and <c>bias</c> [features], 0 at the start.</remarks>
    /// <param name="features">The length of the input's last dimension, at least 1.</param>
    /// <param name="eps">What is added to the variance, above 0; 1e-5 by default, as in PyTorch.</param>
    /// <returns>The layer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public static nn.Module<Tensor, Tensor> LayerNorm(int features, double eps = 1e-5) => new LayerNorm(features, eps);

    /// <summary>Group norm, multi-head self-attention over the pixels, plus the input: [B, channels, H, W] → the same shape.</summary>
    /// <remarks>
    /// Attention Is All You Need, arXiv:1706.03762, Eq. 1 and section 3.2.2. State: <c>norm</c>, <c>qkv</c> (queries, keys and values as one map) and <c>out</c>, which starts at zero, so that the layer
    /// starts as the identity.
    /// </remarks>
    /// <param name="channels">The channels that enter and leave, at least 1.</param>
    /// <param name="heads">The number of heads, at least 1, which divides the channels; 1 by default.</param>
    /// <param name="groups">The groups of the normalisation, at least 1, which divide the channels; 8 by default.</param>
    /// <param name="generator">Draws qkv, then out.</param>
    /// <returns>The layer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    /// <exception cref="ArgumentException">The heads or the groups do not divide the channels.</exception>
    public static nn.Module<Tensor, Tensor> SelfAttention(int channels, int heads = 1, int groups = 8, Generator? generator = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(groups);
        return new SelfAttention(channels, heads, new UNetOptions { NormGroups = groups }, generator);
    }

    /// <summary>Multi-head attention of tokens [B, N, channels] to a context [B, L, contextChannels], any L of at least 1 → [B, N, channels]. It neither normalises nor adds its input.</summary>
    /// <remarks>
    /// Attention Is All You Need, arXiv:1706.03762, section 3.2; arXiv:2112.10752, section 3.3. With the tokens as their own context it is self-attention. State: <c>query</c>, <c>key</c> and
    /// <c>value</c> without bias and <c>out</c> with one, as those of <see cref="Linear"/>.
    /// </remarks>
    /// <param name="channels">The features of a token, in and out, at least 1.</param>
    /// <param name="contextChannels">The features of a context token, at least 1.</param>
    /// <param name="heads">The number of heads, at least 1; 8 by default.</param>
    /// <param name="headWidth">The features of a head, at least 1; <see langword="null"/> (default): the channels divided by the heads, which must then divide them.</param>
    /// <param name="generator">Draws query, key, value, out.</param>
    /// <returns>The layer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    /// <exception cref="ArgumentException">The heads have no width and do not divide the channels.</exception>
    public static nn.Module<Tensor, Tensor, Tensor> CrossAttention(int channels, int contextChannels, int heads = 8, int? headWidth = null, Generator? generator = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(heads);
        return headWidth is not null || channels % heads == 0
            ? new CrossAttention(channels, contextChannels, heads, headWidth ?? (channels / heads), generator)
            : throw new ArgumentException($"Without a head width the number of heads must divide the channels; {heads} heads do not divide {channels} channels.", nameof(heads));
    }

    /// <summary>
    /// Transformer blocks over the pixels of an image [B, channels, H, W], which thereby attend to each other and to a context [B, L, contextChannels], any L of at least 1; plus the input, whose shape the
    /// output has.
    /// </summary>
    /// <remarks>
    /// High-Resolution Image Synthesis with Latent Diffusion Models, arXiv:2112.10752, section 3.3. State: <c>norm</c>, a group norm with eps 1e-6, <c>proj_in</c>, <c>blocks</c> and <c>proj_out</c>, a 1×1
    /// convolution that starts at zero, so that the layer starts as the identity.
    /// </remarks>
    /// <param name="channels">The channels of the image, in and out, at least 1.</param>
    /// <param name="contextChannels">The features of a context token, at least 1.</param>
    /// <param name="heads">The number of heads, at least 1, which divides the channels; 8 by default.</param>
    /// <param name="blocks">The number of transformer blocks, at least 1; 1 by default.</param>
    /// <param name="groups">The groups of the normalisation, at least 1, which divide the channels; 32 by default.</param>
    /// <param name="generator">Draws the initial values.</param>
    /// <returns>The layer.</returns>
    /// <exception cref="ArgumentException">A number is below 1, or the heads or the groups do not divide the channels.</exception>
    public static nn.Module<Tensor, Tensor, Tensor> SpatialTransformer(int channels, int contextChannels, int heads = 8, int blocks = 1, int groups = 32, Generator? generator = null) =>
        new SpatialTransformer(channels, new SpatialTransformerOptions { ContextChannels = contextChannels, Heads = heads, Layers = blocks, NormGroups = groups }, generator);

    /// <summary>
    /// Group norm, SiLU, 3×3 convolution, the time, group norm, SiLU, dropout, 3×3 convolution, plus the input: images [B, inChannels, H, W] and the time [B or 1, timeChannels] → [B, outChannels, H, W].
    /// </summary>
    /// <remarks>
    /// Denoising Diffusion Probabilistic Models, arXiv:2006.11239, appendix B. The time is <see cref="TimeEmbedding"/> after an activation; the block maps it to outChannels and adds it to each pixel. State:
    /// <c>norm1</c>, <c>conv1</c>, <c>time</c>, <c>norm2</c>, <c>conv2</c>, which starts at zero, and where the channels change a 1×1 convolution <c>shortcut</c>.
    /// </remarks>
    /// <param name="inChannels">The channels that enter, at least 1.</param>
    /// <param name="outChannels">The channels that leave, at least 1.</param>
    /// <param name="timeChannels">The width of the time, at least 1.</param>
    /// <param name="groups">The groups of both normalisations, at least 1, which divide both numbers of channels; 8 by default.</param>
    /// <param name="dropout">The part of values set to zero while training, in [0, 1); 0 by default.</param>
    /// <param name="generator">Draws conv1, time, conv2, shortcut.</param>
    /// <returns>The layer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    /// <exception cref="ArgumentException">The groups do not divide the channels.</exception>
    public static nn.Module<Tensor, Tensor, Tensor> ResidualBlock(int inChannels, int outChannels, int timeChannels, int groups = 8, double dropout = 0, Generator? generator = null)
    {
        if (dropout is not (>= 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(dropout), dropout, "The part that is dropped must be in [0, 1).");
        }

        var options = new UNetOptions { TimeDimension = timeChannels, NormGroups = groups, Dialect = new UNetDialect { Residual = new ResidualOptions { Dropout = dropout } } };
        return new ResidualBlock(inChannels, outChannels, options, generator);
    }

    /// <summary>Timesteps [B], of any number type, fractions too → [sin(t·f₀), …, cos(t·f₀), …], float32, [B, channels], with f_i = 10000^(−i/(channels/2)). No weights.</summary>
    /// <remarks>Attention Is All You Need, arXiv:1706.03762, section 3.5, with all sines before all cosines.</remarks>
    /// <param name="channels">Even, at least 2.</param>
    /// <returns>The layer.</returns>
    /// <exception cref="ArgumentException">The channels are odd or below 2.</exception>
    public static nn.Module<Tensor, Tensor> SinusoidalEmbedding(int channels) => new SinusoidalWaves(channels);

    /// <summary>Timesteps [B] → a learned vector, [B, channels]: <see cref="SinusoidalEmbedding"/>, linear, SiLU, linear.</summary>
    /// <remarks>Denoising Diffusion Probabilistic Models, arXiv:2006.11239, appendix B. State: <c>linear1</c> and <c>linear2</c>, as those of <see cref="Linear"/>.</remarks>
    /// <param name="channels">Even, at least 2.</param>
    /// <param name="generator">Draws linear1, then linear2.</param>
    /// <returns>The layer.</returns>
    /// <exception cref="ArgumentException">The channels are odd or below 2.</exception>
    public static nn.Module<Tensor, Tensor> TimeEmbedding(int channels, Generator? generator = null) => channels >= 2 && channels % 2 == 0
        ? new TimeEmbedding(channels, generator)
        : throw new ArgumentException($"The channels must be even and at least 2; they are {channels}.", nameof(channels));

    /// <summary>
    /// Runs a module without keeping what its backward pass needs: the backward pass runs it a second time. PyTorch's <c>torch.utils.checkpoint</c>, which <see cref="UNetDialect.GradientCheckpointing"/>
    /// uses for a whole U-Net.
    /// </summary>
    /// <inheritdoc cref="Checkpoint(IReadOnlyList{nn.Module}, Func{IReadOnlyList{Tensor}, Tensor}, Tensor[])" path="/remarks"/>
    /// <param name="module">The module.</param>
    /// <param name="input">What enters it.</param>
    /// <returns>Its output.</returns>
    public static Tensor Checkpoint(nn.Module<Tensor, Tensor> module, Tensor input)
    {
        ArgumentNullException.ThrowIfNull(module);
        return GradientCheckpointing.Run(module, input);
    }

    /// <summary>Runs a module of two inputs without keeping what its backward pass needs: the backward pass runs it a second time.</summary>
    /// <inheritdoc cref="Checkpoint(IReadOnlyList{nn.Module}, Func{IReadOnlyList{Tensor}, Tensor}, Tensor[])" path="/remarks"/>
    /// <param name="module">The module.</param>
    /// <param name="first">What enters it first.</param>
    /// <param name="second">What enters it second.</param>
    /// <returns>Its output.</returns>
    public static Tensor Checkpoint(nn.Module<Tensor, Tensor, Tensor> module, Tensor first, Tensor second)
    {
        ArgumentNullException.ThrowIfNull(module);
        return GradientCheckpointing.Run(module, first, second);
    }

    /// <summary>Runs a part of a network without keeping what its backward pass needs: the backward pass runs it a second time.</summary>
    /// <remarks>
    /// Training Deep Nets with Sublinear Memory Cost, arXiv:1604.06174, section 4. There is one backward pass, without <c>create_graph</c>. Dropout of this library's layers draws the same in both runs;
    /// what other layers draw from libtorch's global generator on the CPU is the same where no other thread draws from it meanwhile. Where the second run fails, the backward pass ends with libtorch's error
    /// of an invalid gradient, and <see cref="CheckpointError"/> says why.
    /// </remarks>
    /// <param name="modules">The modules whose parameters <paramref name="forward"/> uses. They and the inputs must not change before the backward pass.</param>
    /// <param name="forward">From the inputs to the output, once now and once in the backward pass, with the same result. It may open and close a dispose scope and frees no input.</param>
    /// <param name="inputs">What enters, at least one tensor; all but integers may require gradients.</param>
    /// <returns>The output. Without gradients, or where nothing requires them, simply what <paramref name="forward"/> returns.</returns>
    /// <exception cref="ArgumentException">There is no input.</exception>
    public static Tensor Checkpoint(IReadOnlyList<nn.Module> modules, Func<IReadOnlyList<Tensor>, Tensor> forward, params Tensor[] inputs) => GradientCheckpointing.Run(modules, forward, inputs);

    /// <summary>Why the last second run of a <see cref="Checkpoint(nn.Module{Tensor, Tensor}, Tensor)"/> failed that did, on this thread; <see langword="null"/> if none did.</summary>
    public static Exception? CheckpointError => GradientCheckpointing.SecondRunError;
}
