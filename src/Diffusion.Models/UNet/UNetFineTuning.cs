using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Changes of a trained network that other images ask for. Which parameters are trained is chosen with <see cref="FineTuning"/>.</summary>
public static class UNetFineTuning
{
    private const string Table = "labels.table.weight";

    /// <summary>
    /// A network for other classes: a copy with a label table of another size. All other weights have the same bits, and what is frozen stays
    /// frozen; new vectors are drawn as for a new network and are trained.
    /// </summary>
    /// <param name="network">A network with a label table, on any device; it is not changed, and the caller keeps owning it.</param>
    /// <param name="classes">The number of classes, at least 1.</param>
    /// <param name="startFrom">For each new class the former one whose vector it starts with, or <see langword="null"/> where it is drawn: the label that stands for none should be taken over. Nothing is taken over by default.</param>
    /// <param name="seed">The seed of the new vectors; 0 by default.</param>
    /// <returns>The network, on the same device and in the same type; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">The network has no label table, or a former class does not exist or is not given for each new one.</exception>
    public static UNet WithClasses(this UNet network, int classes, IReadOnlyList<int?>? startFrom = null, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        if (network.Options.Dialect.Labels is not { Kind: LabelKind.Table } labels)
        {
            throw new ArgumentException($"The network has no label table; its labels are {network.Options.Dialect.Labels?.ToString() ?? "none"}.", nameof(network));
        }

        Check(startFrom, classes, labels.Classes);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var dialect = network.Options.Dialect with { Labels = labels with { Classes = classes } };
        var changed = new UNet(network.Options with { Dialect = dialect }, seed);
        var first = network.parameters().First();
        changed.to(first.dtype).to(first.device);
        var weights = network.state_dict();
        weights[Table] = Rows(changed.state_dict()[Table], weights[Table], startFrom ?? []);
        Weights.Load(changed, weights);
        foreach (var ((name, target), (_, source)) in changed.named_parameters().Zip(network.named_parameters()))
        {
            target.requires_grad = source.requires_grad || name == Table;
        }

        changed.train(network.training);
        return changed;
    }

    private static void Check(IReadOnlyList<int?>? startFrom, int classes, int former)
    {
        if (startFrom is not null && startFrom.Count != classes)
        {
            throw new ArgumentException($"There must be a former class or null for each of the {classes} classes; there are {startFrom.Count}.", nameof(startFrom));
        }

        for (var i = 0; i < startFrom?.Count; i++)
        {
            if (startFrom[i] is { } row && (row < 0 || row >= former))
            {
                throw new ArgumentException($"startFrom[{i}] is {row}; the network's classes are 0 to {former - 1}.", nameof(startFrom));
            }
        }
    }

    private static Tensor Rows(Tensor drawn, Tensor former, IReadOnlyList<int?> startFrom)
    {
        var table = drawn.clone();
        for (var i = 0; i < startFrom.Count; i++)
        {
            if (startFrom[i] is { } row)
            {
                table[i].copy_(former[row]);
            }
        }

        return table;
    }
}
