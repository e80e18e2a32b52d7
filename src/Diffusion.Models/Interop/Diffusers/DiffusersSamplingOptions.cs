namespace Diffusion.Models;

/// <summary>The arguments of <c>step</c> and <c>set_timesteps</c> of diffusers schedulers, which are not in the configuration.</summary>
internal sealed record DiffusersSamplingOptions
{
    /// <summary>DDIM: η, at least 0; 0 by default. <c>eta</c> in diffusers.</summary>
    public double Eta { get; init; }

    /// <summary>DDIM: whether ε̂ is derived again from the limited x̂₀; false by default. <c>use_clipped_model_output</c> in diffusers.</summary>
    public bool UseClippedModelOutput { get; init; }

    /// <summary>Euler and EDM: noise added before a step; none by default. <c>s_churn</c>, <c>s_tmin</c>, <c>s_tmax</c> and <c>s_noise</c> in diffusers. DPMSolverSDEScheduler has <c>s_noise</c> alone.</summary>
    public Churn Churn { get; init; } = Churn.None;

    /// <summary>LMS: the number of slopes that are combined, in [1, 4]; 4 where it is <see langword="null"/> (default). <c>order</c> in diffusers.</summary>
    public int? Order { get; init; }

    /// <summary>Flow matching with dynamic shifting: the shift for the size of the image, needed there. <c>mu</c> in diffusers.</summary>
    public double? Mu { get; init; }

    /// <exception cref="ArgumentException">A class of schedulers has no such argument; the message names both.</exception>
    public void ThrowUnlessOf(string className)
    {
        var ddim = className is "DDIMScheduler" or "DDIMParallelScheduler";
        ThrowIf(Eta != 0 && !ddim, "eta", "DDIM");
        ThrowIf(UseClippedModelOutput && !ddim, "useClippedModelOutput", "DDIM");
        ThrowIf(Churn != Churn.None && className is not ("EulerDiscreteScheduler" or "EDMEulerScheduler" or "FlowMatchHeunDiscreteScheduler" or "DPMSolverSDEScheduler"), "churn", "Euler and EDM");
        ThrowIf(Order is not null && className != "LMSDiscreteScheduler", "order", "LMS");

        void ThrowIf(bool wrong, string argument, string classes)
        {
            if (wrong)
            {
                throw new ArgumentException($"{className} has no {argument}, which is of {classes}; leave it out.", argument);
            }
        }
    }
}
