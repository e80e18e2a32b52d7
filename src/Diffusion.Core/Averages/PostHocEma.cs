using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Averages of weights chosen after the run: from snapshots of two or more averages by power functions (<see cref="EmaOptions.RelativeWidth"/>,
/// <see cref="CheckpointOptions.SnapshotEvery"/>) the average of any other width is put together, as if it had been kept during training.
/// </summary>
/// <remarks>
/// Analyzing and Improving the Training Dynamics of Diffusion Models, arXiv:2312.02696, section 3.2: the sum of snapshots whose profile over the steps comes nearest, in
/// least squares, to the one asked for.
/// </remarks>
public sealed class PostHocEma
{
    internal const string StepKey = "ema.step";
    internal const string WidthKey = "ema.relative_width";

    private readonly List<(string Path, int Step, double Width)> _snapshots;

    private PostHocEma(string folder, List<(string Path, int Step, double Width)> snapshots) => (Folder, _snapshots) = (folder, snapshots);

    /// <summary>The folder of the snapshots.</summary>
    public string Folder { get; }

    /// <summary>The steps of which there are snapshots, and the widths σ_rel of these, in order.</summary>
    public IReadOnlyList<(int Step, double RelativeWidth)> Snapshots => [.. _snapshots.Select(snapshot => (snapshot.Step, snapshot.Width))];

    /// <summary>Finds the snapshots of a run.</summary>
    /// <param name="folder">The folder of the run's checkpoints.</param>
    /// <returns>The snapshots.</returns>
    /// <exception cref="InvalidDataException">There are none, or a file is not a snapshot; the message names it.</exception>
    public static PostHocEma Open(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var averages = Path.Combine(folder, Checkpoint.AveragesFolder);
        var snapshots = Directory.Exists(averages) ? Directory.EnumerateFiles(averages, "*.safetensors").Select(Describe).Where(each => each.Step > 0).OrderBy(each => each.Step).ThenBy(each => each.Width).ToList() : [];
        return snapshots.Count > 0
            ? new PostHocEma(averages, snapshots)
            : throw new InvalidDataException($"'{averages}' has no snapshots; train with {nameof(EmaOptions)}.{nameof(EmaOptions.RelativeWidth)} and {nameof(CheckpointOptions)}.{nameof(CheckpointOptions.SnapshotEvery)}.");
    }

    /// <summary>Puts an average together.</summary>
    /// <param name="relativeWidth">σ_rel, in (0, 0.28]. It comes out well between the widths of the snapshots and somewhat beyond.</param>
    /// <param name="step">The step at which it ends; the last one with snapshots by default. Later snapshots are not used.</param>
    /// <returns>The network's weights, for the caller to dispose: <see cref="Weights.Load"/> puts them into a network.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The width is out of range, or there is no snapshot up to the step.</exception>
    /// <exception cref="InvalidOperationException">Two snapshots have the same step and width.</exception>
    public TensorDictionary Reconstruct(double relativeWidth, int? step = null)
    {
        if (!(relativeWidth > 0 && relativeWidth <= PowerFunction.MaxWidth))
        {
            throw new ArgumentOutOfRangeException(nameof(relativeWidth), relativeWidth, FormattableString.Invariant($"The relative width must be in (0, {PowerFunction.MaxWidth}]."));
        }

        var end = step ?? _snapshots[^1].Step;
        var used = _snapshots.Where(snapshot => snapshot.Step <= end).ToList();
        if (used.Count == 0)
        {
            throw new ArgumentOutOfRangeException(nameof(step), step, $"The first snapshot is of step {_snapshots[0].Step}.");
        }

        return Sum(used.ConvertAll(snapshot => snapshot.Path), Coefficients(used.ConvertAll(snapshot => (PowerFunction.OfWidth(snapshot.Width), (double)snapshot.Step)), PowerFunction.OfWidth(relativeWidth), end));
    }

    /// <summary>The weights of profiles in the sum that comes nearest to another profile, scaled to a sum of 1, as in the authors' code: the average of a constant is that constant.</summary>
    /// <exception cref="InvalidOperationException">The profiles do not determine them, as two of one width and step do not.</exception>
    internal static double[] Coefficients(IReadOnlyList<(PowerFunction Profile, double Steps)> profiles, PowerFunction target, double steps)
    {
        var products = new double[profiles.Count, profiles.Count];
        var right = new double[profiles.Count];
        for (var i = 0; i < profiles.Count; i++)
        {
            for (var j = 0; j < profiles.Count; j++)
            {
                products[i, j] = profiles[i].Profile.Product(profiles[i].Steps, profiles[j].Profile, profiles[j].Steps);
            }

            right[i] = profiles[i].Profile.Product(profiles[i].Steps, target, steps);
        }

        var solution = LinearSystem.Solve(products, right);
        var sum = solution.Sum();
        return double.IsFinite(sum) && sum != 0
            ? [.. solution.Select(weight => weight / sum)]
            : throw new InvalidOperationException($"The {profiles.Count} snapshots up to this step do not determine an average: those of one step need different widths.");
    }

    private static TensorDictionary Sum(List<string> paths, double[] coefficients)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var sums = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        var kept = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (path, coefficient) in paths.Zip(coefficients))
        {
            using var part = NewDisposeScope();
            using var file = Safetensors.Load(path);
            using var factor = coefficient.ToScalar();
            foreach (var (name, tensor) in file)
            {
                if (!tensor.is_floating_point())
                {
                    kept[name] = tensor.clone().MoveToOuterDisposeScope(); // a counter: the last one
                }
                else if (sums.TryGetValue(name, out var sum))
                {
                    sum.add_(tensor.to(ScalarType.Float64), alpha: factor);
                }
                else
                {
                    sums[name] = tensor.to(ScalarType.Float64).mul_(factor).MoveToOuterDisposeScope();
                }
            }
        }

        return new TensorDictionary([.. sums.Select(entry => KeyValuePair.Create(entry.Key, entry.Value.to(ScalarType.Float32))), .. kept]);
    }

    private static (string Path, int Step, double Width) Describe(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return file.Metadata.TryGetValue(StepKey, out var step) && int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && file.Metadata.TryGetValue(WidthKey, out var width) && double.TryParse(width, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? (path, number, value)
            : throw new InvalidDataException($"'{path}' is not a snapshot of an average: its header lacks {StepKey} or {WidthKey}.");
    }
}
