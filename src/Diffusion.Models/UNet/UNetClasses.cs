using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Networks for other classes out of trained ones.</summary>
internal static class UNetClasses
{
    private const string Table = "labels.table.weight";

    /// <summary>What <see cref="UNet.WithClasses"/> does.</summary>
    public static UNet Change(UNet network, int classes, IReadOnlyList<int?>? startFrom, long seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        if (network.Options.Dialect.Labels is not { Kind: LabelKind.Table } labels)
        {
            throw new InvalidOperationException($"The network has no label table; its labels are {network.Options.Dialect.Labels?.ToString() ?? "none"}.");
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
