using System.Text.Json.Nodes;

namespace Diffusion.Benchmarks;

/// <summary>A network: one that is trained for the rows, or a model of the repository.</summary>
/// <param name="Name">Its name, of letters, digits and hyphens.</param>
/// <param name="Title">What it is, for the table.</param>
/// <param name="Configuration">The configuration file that it is trained by, from the root of the repository.</param>
/// <param name="Changes">Merged into the configuration as by RFC 7396.</param>
/// <param name="Steps">The training steps, instead of the configuration's.</param>
/// <param name="Model">Or the folder of a model, from the root of the repository.</param>
/// <param name="Trained">What training the model took.</param>
internal sealed record PlannedRun(
    string Name, string Title, string? Configuration = null, JsonObject? Changes = null, int? Steps = null, string? Model = null, TrainingTime? Trained = null);
