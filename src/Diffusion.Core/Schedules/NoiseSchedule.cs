namespace Diffusion;

/// <summary>The noise schedules of the papers, and schedules from tables and formulas. A schedule of your own implements <see cref="INoiseSchedule"/>.</summary>
/// <remarks>Variance preserving (α² + σ² = 1) as in Denoising Diffusion Probabilistic Models, arXiv:2006.11239, Eq. 4, unless the method says otherwise. Everything is computed in double precision.</remarks>
public static class NoiseSchedule
{
    private const double PaperMaxBeta = VarianceTables.PaperMaxBeta;
    private const double CosineOffset = 0.008;
    private const double EdmSigmaMin = 0.002;
    private const double EdmSigmaMax = 80;

    private static readonly Dictionary<string, Func<int, INoiseSchedule>> s_byName = new(StringComparer.Ordinal)
    {
        ["linear"] = Linear,
        ["scaled-linear"] = timesteps => ScaledLinear(timesteps),
        ["cosine"] = timesteps => Cosine(timesteps),
        ["cosine-uncapped"] = timesteps => CosineUncapped(timesteps),
        ["sigmoid"] = timesteps => Sigmoid(timesteps),
        ["sigmoid-betas"] = timesteps => SigmoidBetas(timesteps),
        ["laplace"] = timesteps => Laplace(timesteps),
        ["vp-sde"] = timesteps => VpSde(timesteps),
        ["linear-zero-snr"] = timesteps => ZeroTerminalSnr(Linear(timesteps)),
        ["scaled-linear-zero-snr"] = timesteps => ZeroTerminalSnr(ScaledLinear(timesteps)),
        ["karras"] = timesteps => Karras(timesteps),
        ["exponential"] = timesteps => Exponential(timesteps),
        ["polyexponential"] = timesteps => PolyExponential(timesteps),
        ["flow"] = timesteps => RectifiedFlow(timesteps),
        ["flow-shift-3"] = timesteps => RectifiedFlow(timesteps, 3),
    };

    /// <summary>The names that <see cref="Create"/>, configuration files and command lines know.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. s_byName.Keys];

    /// <summary>A schedule by its name, with the parameters of its paper.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="timesteps">T; 1000 by default.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentException">There is no such schedule; the message lists those that there are.</exception>
    public static INoiseSchedule Create(string name, int timesteps = 1000)
    {
        ArgumentNullException.ThrowIfNull(name);
        return s_byName.TryGetValue(name, out var make)
            ? make(timesteps)
            : throw new ArgumentException($"There is no schedule \"{name}\"; there are {string.Join(", ", Names)}.", nameof(name));
    }

    /// <summary>The schedule of DDPM: T = 1000, β grows evenly from 1e-4 to 0.02.</summary>
    /// <remarks>Denoising Diffusion Probabilistic Models, arXiv:2006.11239, section 4.</remarks>
    /// <returns>The schedule.</returns>
    public static INoiseSchedule Linear() => new LinearNoiseSchedule();

    /// <summary>The schedule of DDPM, with its βs scaled by 1000/T so that a shorter schedule destroys the image as thoroughly.</summary>
    /// <param name="timesteps">T, at least 21, below which the last β would reach 1.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than 21 timesteps.</exception>
    public static INoiseSchedule Linear(int timesteps) => new LinearNoiseSchedule(timesteps);

    /// <summary>β grows evenly between exactly the given values; nothing is scaled.</summary>
    /// <param name="timesteps">T, at least 1. With T = 1 the only β is <paramref name="betaStart"/>.</param>
    /// <param name="betaStart">β₀, in (0, 1).</param>
    /// <param name="betaEnd">The last β, in (0, 1).</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">No timesteps, or a β outside (0, 1).</exception>
    public static INoiseSchedule Linear(int timesteps, double betaStart, double betaEnd) => new LinearNoiseSchedule(timesteps, betaStart, betaEnd);

    /// <summary>√β grows evenly: the schedule of latent diffusion models. Nothing is scaled with T.</summary>
    /// <remarks>High-Resolution Image Synthesis with Latent Diffusion Models, arXiv:2112.10752, and its published configurations.</remarks>
    /// <inheritdoc cref="Linear(int, double, double)" path="/param|/returns|/exception"/>
    public static INoiseSchedule ScaledLinear(int timesteps = 1000, double betaStart = 0.00085, double betaEnd = 0.012) => new ScaledLinearNoiseSchedule(timesteps, betaStart, betaEnd);

    /// <summary>The cosine schedule by its βs: ᾱ(u) = cos²((u + s)/(1 + s)·π/2)/cos²(s/(1 + s)·π/2), β_t = min(1 − ᾱ((t+1)/T)/ᾱ(t/T), maxBeta).</summary>
    /// <remarks>Improved Denoising Diffusion Probabilistic Models, arXiv:2102.09672, Eq. 17.</remarks>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <param name="offset">s, at least 0: keeps the first βs from vanishing.</param>
    /// <param name="maxBeta">The largest β, in (0, 1].</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static INoiseSchedule Cosine(int timesteps = 1000, double offset = CosineOffset, double maxBeta = PaperMaxBeta) => new CosineNoiseSchedule(timesteps, offset, maxBeta);

    /// <summary>The cosine schedule with ᾱ_t = ᾱ((t+1)/T) exactly: zero signal at the last timestep, so not for <see cref="Parameterization.Epsilon"/>.</summary>
    /// <remarks>Improved Denoising Diffusion Probabilistic Models, arXiv:2102.09672, Eq. 17, without its cap of β.</remarks>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <param name="offset">s, at least 0.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static INoiseSchedule CosineUncapped(int timesteps = 1000, double offset = CosineOffset) => CosineNoiseSchedule.Uncapped(timesteps, offset);

    /// <summary>The sigmoid schedule by its βs: ᾱ(u) = (g(end) − g(start + u·(end − start)))/(g(end) − g(start)), g(v) = 1/(1 + e^(−v/τ)), β_t = min(1 − ᾱ((t+1)/T)/ᾱ(t/T), maxBeta).</summary>
    /// <remarks>Scalable Adaptive Computation for Iterative Generation, arXiv:2212.11972, appendix B.</remarks>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <param name="start">Where on the sigmoid the clean image lies.</param>
    /// <param name="end">Where pure noise lies, above <paramref name="start"/>.</param>
    /// <param name="temperature">τ, above 0.</param>
    /// <param name="maxBeta">The largest β, in (0, 1].</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static INoiseSchedule Sigmoid(int timesteps = 1000, double start = -3, double end = 3, double temperature = 1, double maxBeta = PaperMaxBeta) =>
        new SigmoidNoiseSchedule(timesteps, start, end, temperature, maxBeta);

    /// <summary>βs that follow a sigmoid themselves, the older form: β_t = betaStart + (betaEnd − betaStart)·g(v_t), with v_t evenly from −6 to 6.</summary>
    /// <remarks>GeoDiff, arXiv:2203.02923.</remarks>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <param name="betaStart">What β tends to at the clean end, in (0, 1).</param>
    /// <param name="betaEnd">What β tends to at the noisy end, in (0, 1).</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static INoiseSchedule SigmoidBetas(int timesteps = 1000, double betaStart = 1e-4, double betaEnd = 0.02) => SigmoidNoiseSchedule.OfBetas(timesteps, betaStart, betaEnd);

    /// <summary>ln SNR follows a Laplace distribution over the timesteps, so that most of them lie where image and noise are about equal.</summary>
    /// <remarks>Improved Noise Schedule for Diffusion Training, arXiv:2407.03297, table 1, at u_t = (t + ½)/T.</remarks>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <param name="mean">μ, the ln SNR about which the levels gather.</param>
    /// <param name="scale">b, above 0: how widely they spread.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static INoiseSchedule Laplace(int timesteps = 1000, double mean = 0, double scale = 0.5) => new LaplaceNoiseSchedule(timesteps, mean, scale);

    /// <summary>The variance-preserving stochastic differential equation: ᾱ(u) = exp(−½·(β_max − β_min)·u² − β_min·u), u_t = (t + 1)/T.</summary>
    /// <remarks>Score-Based Generative Modeling through Stochastic Differential Equations, arXiv:2011.13456, Eq. 32 and 33.</remarks>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <param name="betaMin">The rate at which noise is added at u = 0, above 0.</param>
    /// <param name="betaMax">The rate at u = 1, at least <paramref name="betaMin"/>.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static INoiseSchedule VpSde(int timesteps = 1000, double betaMin = 0.1, double betaMax = 20) => new VpSdeNoiseSchedule(timesteps, betaMin, betaMax);

    /// <summary>A schedule, shifted and scaled so that the SNR of its last timestep is 0 while its first keeps its level. At α = 0 ε does not determine x₀: train velocity, image or flow.</summary>
    /// <remarks>Common Diffusion Noise Schedules and Sample Steps Are Flawed, arXiv:2305.08891, algorithm 1.</remarks>
    /// <param name="schedule">A variance-preserving schedule of at least 2 timesteps.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentException">The schedule has one timestep only, or α² + σ² is not 1 at one of its timesteps.</exception>
    public static INoiseSchedule ZeroTerminalSnr(INoiseSchedule schedule)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        return new ZeroTerminalSnrSchedule(schedule as TabulatedNoiseSchedule ?? Table(schedule));
    }

    /// <summary>A straight line from image to noise, α = 1 − σ, with σ evenly spaced, or shifted towards noise for large images: σ = shift·u/(1 + (shift − 1)·u), u_t = (t + 1)/T. The network is conditioned on σ·T.</summary>
    /// <remarks>Flow Straight and Fast, arXiv:2209.03003; Scaling Rectified Flow Transformers, arXiv:2403.03206, Eq. 23. The last level is pure noise, so train <see cref="Parameterization.Flow"/>, not ε.</remarks>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <param name="shift">Above 0; 1 (default) leaves σ evenly spaced, more moves the levels towards noise.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static INoiseSchedule RectifiedFlow(int timesteps = 1000, double shift = 1) => new RectifiedFlowNoiseSchedule(timesteps, shift);

    /// <summary>The variance-exploding schedule of EDM: α = 1, σ_t = (σ_min^(1/ρ) + t/(T−1)·(σ_max^(1/ρ) − σ_min^(1/ρ)))^ρ. The network is conditioned on ln(σ)/4.</summary>
    /// <remarks>Elucidating the Design Space of Diffusion-Based Generative Models, arXiv:2206.00364, Eq. 5 and table 1 (c_noise).</remarks>
    /// <param name="timesteps">T, at least 2; 1000 by default.</param>
    /// <param name="sigmaMin">The smallest σ, above 0.</param>
    /// <param name="sigmaMax">The largest σ.</param>
    /// <param name="rho">ρ, above 0: the larger, the more levels lie at low noise.</param>
    /// <returns>The schedule.</returns>
    public static INoiseSchedule Karras(int timesteps = 1000, double sigmaMin = EdmSigmaMin, double sigmaMax = EdmSigmaMax, double rho = 7) =>
        SigmaNoiseSchedule.Karras(timesteps, sigmaMin, sigmaMax, rho);

    /// <summary>Variance exploding: α = 1, σ from σ_min to σ_max, evenly in ln σ. The network is conditioned on ln(σ)/4.</summary>
    /// <inheritdoc cref="Karras" path="/param|/returns"/>
    public static INoiseSchedule Exponential(int timesteps = 1000, double sigmaMin = EdmSigmaMin, double sigmaMax = EdmSigmaMax) =>
        SigmaNoiseSchedule.Exponential(timesteps, sigmaMin, sigmaMax);

    /// <summary>Variance exploding: α = 1, ln σ_t = ln σ_min + (t/(T−1))^ρ·(ln σ_max − ln σ_min). The network is conditioned on ln(σ)/4.</summary>
    /// <inheritdoc cref="Karras" path="/param|/returns"/>
    public static INoiseSchedule PolyExponential(int timesteps = 1000, double sigmaMin = EdmSigmaMin, double sigmaMax = EdmSigmaMax, double rho = 1) =>
        SigmaNoiseSchedule.PolyExponential(timesteps, sigmaMin, sigmaMax, rho);

    /// <summary>ᾱ(u) = exp(−1e-4 − 10·u²), u = (t + 1)/T: the schedule whose β grows evenly, in continuous time. The network is conditioned on ln SNR.</summary>
    /// <remarks>Variational Diffusion Models, arXiv:2107.00630, appendix D.</remarks>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <returns>The schedule.</returns>
    public static INoiseSchedule ContinuousLinear(int timesteps = 1000) => LogSnrNoiseSchedule.Linear(timesteps);

    /// <summary>α(u) = cos((u + s)/(1 + s)·π/2), u = (t + 1)/T, where <see cref="Cosine"/> divides by its value at u = 0. The network is conditioned on ln SNR.</summary>
    /// <remarks>Improved Denoising Diffusion Probabilistic Models, arXiv:2102.09672, Eq. 17, in continuous time.</remarks>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <param name="offset">s, at least 0.</param>
    /// <returns>The schedule. Its last level is pure noise but for rounding: not for <see cref="Parameterization.Epsilon"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static INoiseSchedule ContinuousCosine(int timesteps = 1000, double offset = CosineOffset) => LogSnrNoiseSchedule.Cosine(timesteps, offset);

    /// <summary>The cosine schedule, shifted so that images larger than those it was made for are destroyed as thoroughly: ln SNR + 2·ln(noiseSize/imageSize). The network is conditioned on ln SNR.</summary>
    /// <remarks>Simple Diffusion, arXiv:2301.11093, section 3.1.</remarks>
    /// <param name="imageSize">The side of the images, above 0.</param>
    /// <param name="noiseSize">The side at which the unshifted schedule is right, above 0; 64 in the paper.</param>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static INoiseSchedule ShiftedCosine(int imageSize, int noiseSize = 64, int timesteps = 1000) => LogSnrNoiseSchedule.ShiftedCosine(imageSize, noiseSize, timesteps);

    /// <summary>Between two shifted cosine schedules, from that of the larger noise at u = 0 to that of the smaller at u = 1. The network is conditioned on ln SNR.</summary>
    /// <remarks>Simple Diffusion, arXiv:2301.11093, section 3.1.</remarks>
    /// <param name="imageSize">The side of the images, above 0.</param>
    /// <param name="noiseSizeLow">The side whose schedule holds at pure noise, above 0; 32 in the paper.</param>
    /// <param name="noiseSizeHigh">The side whose schedule holds at the clean image, above 0.</param>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static INoiseSchedule InterpolatedCosine(int imageSize, int noiseSizeLow, int noiseSizeHigh, int timesteps = 1000) =>
        LogSnrNoiseSchedule.InterpolatedCosine(imageSize, noiseSizeLow, noiseSizeHigh, timesteps);

    /// <summary>The schedule of exactly these βs: α_t = √ᾱ_t, σ_t = √(1 − ᾱ_t), ᾱ_t = ∏ (1 − β_s) over s ≤ t.</summary>
    /// <param name="betas">β_t for t = 0, 1, …: the variance of the noise that step t adds, each in (0, 1); the last may be 1.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentException">The list is empty or a β is outside (0, 1).</exception>
    public static INoiseSchedule FromBetas(IEnumerable<double> betas) => new BetaNoiseSchedule(betas);

    /// <summary>The schedule of exactly these ᾱs.</summary>
    /// <param name="alphaBars">ᾱ_t for t = 0, 1, …: strictly decreasing, each in (0, 1); the last may be 0.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentException">The list is empty, does not decrease, or leaves (0, 1).</exception>
    public static INoiseSchedule FromAlphaBars(IEnumerable<double> alphaBars) => BetaNoiseSchedule.FromAlphaBars(alphaBars);

    /// <summary>The variance-exploding schedule of exactly these σs, with α = 1.</summary>
    /// <param name="sigmas">σ_t for t = 0, 1, …: strictly increasing, finite, above 0, at least one.</param>
    /// <param name="label">The input of the network for a σ; ln(σ)/4 by default.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentException">The list is empty, does not increase, or has a value that is not above 0.</exception>
    public static INoiseSchedule FromSigmas(IEnumerable<double> sigmas, Func<double, double>? label = null) => new SigmaNoiseSchedule(sigmas, label);

    /// <summary>A schedule in continuous time: α² = 1/(1 + e^(−ln SNR(u))), σ² = 1 − α², u = (t + 1)/T.</summary>
    /// <remarks>Variational Diffusion Models, arXiv:2107.00630, section 3.2.</remarks>
    /// <param name="logSnr">ln(α²/σ²) at a time u in [0, 1]; finite and decreasing.</param>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <param name="label">The input of the network for a ln SNR; the ln SNR itself by default.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">No timesteps.</exception>
    /// <exception cref="ArgumentException">ln SNR is not finite, or does not decrease, at one of the T times.</exception>
    public static INoiseSchedule FromLogSnr(Func<double, double> logSnr, int timesteps = 1000, Func<double, double>? label = null) => new LogSnrNoiseSchedule(logSnr, timesteps, label);

    private static BetaNoiseSchedule Table(INoiseSchedule schedule)
    {
        const double tolerance = 1e-9;
        NoiseLevel[] levels = [.. Enumerable.Range(0, schedule.Timesteps).Select(schedule.LevelAt)];
        var other = Array.FindIndex(levels, level => Math.Abs(level.Scale - 1) > tolerance);
        return other < 0
            ? BetaNoiseSchedule.FromAlphaBars(levels.Select(level => level.Alpha * level.Alpha))
            : throw new ArgumentException(
                FormattableString.Invariant($"The schedule must be variance preserving, α² + σ² = 1; at timestep {other} α is {levels[other].Alpha:R} and σ {levels[other].Sigma:R}."), nameof(schedule));
    }
}
