namespace Diffusion.Models;

/// <summary>A residual block with everything filled in.</summary>
internal sealed record ResidualPlan(int InChannels, int OutChannels, int Groups, int TimeDimension, ResidualOptions Options)
{
    public double OutputScale { get; init; } = Options.OutputScale;

    public ResidualResampling Resampling { get; init; }

    public bool ProjectsShortcut { get; init; }

    public bool StartsAtZero { get; init; }

    public int TimeChannels => Options.TimeInjection == TimeInjection.ScaleShift ? 2 * OutChannels : OutChannels;

    public static ResidualPlan Of(UNetOptions network, int inChannels, int outChannels) =>
        new(inChannels, outChannels, network.NormGroups, network.TimeDimension, network.Dialect.Residual)
        {
            ProjectsShortcut = inChannels != outChannels || network.AlwaysProjectShortcut,
            StartsAtZero = network.ZeroInitialize,
        };
}
