using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Chooses which parameters of a network are trained, by patterns of their names.</summary>
internal static class FineTuning
{
    public static IReadOnlyList<string> Freeze(nn.Module network, params IReadOnlyList<string> patterns) => Set(network, patterns, trained: false);

    public static IReadOnlyList<string> Unfreeze(nn.Module network, params IReadOnlyList<string> patterns) => Set(network, patterns, trained: true);

    private static List<string> Set(nn.Module network, IReadOnlyList<string> patterns, bool trained)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(patterns);
        if (patterns.Count == 0)
        {
            throw new ArgumentException("At least one pattern is needed; \"*\" is every parameter.", nameof(patterns));
        }

        var parameters = network.named_parameters().ToList();
        var names = parameters.ConvertAll(entry => entry.name);
        var globs = patterns.Select(pattern => new NamePattern(pattern)).ToList();
        var unmatched = globs.Where(glob => !names.Exists(glob.Matches)).ToList();
        if (unmatched.Count > 0)
        {
            throw new ArgumentException(
                $"No parameter of {network.GetName()} matches{string.Concat(unmatched.Select(glob => $"\n  '{glob}': the nearest names are {string.Join(", ", glob.Nearest(names))}"))}",
                nameof(patterns));
        }

        var chosen = parameters.Where(entry => globs.Exists(glob => glob.Matches(entry.name))).ToList();
        foreach (var (_, parameter) in chosen)
        {
            Set(parameter, trained);
        }

        return chosen.ConvertAll(entry => entry.name);
    }

    private static void Set(Parameter parameter, bool trained)
    {
        parameter.requires_grad = trained;
        if (!trained && parameter.grad is { } old)
        {
            parameter.grad = null; // what an earlier pass left would be taken for one of this training
            old.Dispose();
        }
    }
}
