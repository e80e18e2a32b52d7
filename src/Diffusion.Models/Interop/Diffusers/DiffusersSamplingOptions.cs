namespace Diffusion.Models;

/// <summary>What callers of a diffusers scheduler give with each step instead of in the configuration.</summary>
public sealed record DiffusersSamplingOptions
{
    /// <summary>DDIM: η, at least 0; 0 by default.</summary>
    public double Eta { get; init; }

    /// <summary>DDIM: whether ε̂ is that of the limited image ("use_clipped_model_output"); false by default.</summary>
    public bool UseLimitedOutput { get; init; }

    /// <summary>Euler and EDM: noise added before a step; none by default.</summary>
    public Churn Churn { get; init; } = Churn.None;

    /// <summary>Flow matching with dynamic shifting: the shift for the size of the image; needed there.</summary>
    public double? Mu { get; init; }
}
