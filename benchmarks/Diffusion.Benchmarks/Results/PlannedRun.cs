using System.Text.Json.Nodes;

namespace Diffusion.Benchmarks;

/// <summary>A network that is trained.</summary>
/// <param name="Name">Its name, of letters, digits and hyphens.</param>
/// <param name="Title">What it is, for the table.</param>
/// <param name="Configuration">The configuration file, from the root of the repository.</param>
/// <param name="Changes">Merged into the configuration as by RFC 7396.</param>
/// <param name="Steps">The training steps, instead of the configuration's.</param>
/// <param name="Minutes">As many steps as fit into so many minutes, by a measurement before.</param>
internal sealed record PlannedRun(string Name, string Title, string Configuration, JsonObject? Changes = null, int? Steps = null, double? Minutes = null);
