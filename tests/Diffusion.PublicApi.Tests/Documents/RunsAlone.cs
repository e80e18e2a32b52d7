namespace Diffusion.PublicApi.Tests;

/// <summary>Programs of documents have the current folder and the console of the process for themselves: no other test runs beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class RunsAlone
{
    public const string Name = "documents";
}
