using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Everything of a run that changes from step to step: weights, their average, the optimizer's averages, the step.</summary>
internal sealed class TrainerState : IDisposable
{
    private const string MeanPrefix = "exp_avg.";
    private const string MeanSquarePrefix = "exp_avg_sq.";
    private const string HistoryLosses = "timestep_losses";
    private const string HistoryCounts = "timestep_counts";

    private readonly nn.Module _network;
    private readonly LossHistory? _history;

    public TrainerState(nn.Module network, TrainerOptions options, LossHistory? history)
    {
        _network = network;
        _history = history;
        Parameters = new FlatParameters(network);
        Optimizer = new AdamOptimizer(Parameters.Values, options.Optimizer, options.Optimizer is { WeightDecay: > 0, DecayMatricesOnly: true } ? Parameters.Matrices() : null);
        Ema = new EmaWeights(Parameters.Values, options.Ema);
    }

    public FlatParameters Parameters { get; }

    public AdamOptimizer Optimizer { get; }

    public EmaWeights Ema { get; }

    /// <summary>Optimizer steps done.</summary>
    public int Step { get; set; }

    public Checkpoint Save(string folder, CheckpointManifest manifest, IReadOnlyDictionary<string, string> metadata)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        return Checkpoint.Save(
            folder,
            manifest,
            new Dictionary<string, IEnumerable<KeyValuePair<string, Tensor>>>
            {
                [Checkpoint.ModelFile] = _network.state_dict(),
                [Checkpoint.EmaFile] = Averaged(),
                [Checkpoint.OptimizerFile] = [.. OptimizerTensors(), .. HistoryTensors()],
            },
            metadata);
    }

    /// <summary>Writes the network's weights, plain and averaged, each to a file of its own.</summary>
    public void Export(string folder, IReadOnlyDictionary<string, string> metadata)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        Safetensors.Save(Path.Combine(folder, Checkpoint.ModelFile), _network.state_dict(), metadata);
        Safetensors.Save(Path.Combine(folder, Checkpoint.EmaFile), Averaged(), metadata);
    }

    public void Load(Checkpoint checkpoint)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        using var model = Safetensors.Load(Path.Combine(checkpoint.Folder, Checkpoint.ModelFile));
        using var ema = Safetensors.Load(Path.Combine(checkpoint.Folder, Checkpoint.EmaFile));
        using var optimizer = Safetensors.Load(Path.Combine(checkpoint.Folder, Checkpoint.OptimizerFile));
        var needed = OptimizerTensors().Concat(HistoryTensors()).Select(entry => entry.Key).Except(optimizer.Keys).ToList();
        if (needed.Count > 0)
        {
            throw new InvalidDataException($"'{checkpoint.Folder}' is of another network or objective: its optimizer state lacks {string.Join(", ", needed.Take(5))}.");
        }

        LoadHistory(checkpoint, optimizer);

        Weights.Load(_network, model);
        foreach (var (name, tensor) in Parameters.Named(Ema.Values))
        {
            tensor.copy_(ema[name]);
        }

        foreach (var (name, tensor) in OptimizerTensors())
        {
            tensor.copy_(optimizer[name]);
        }

        Step = checkpoint.Manifest.Step;
    }

    public void Dispose()
    {
        Ema.Dispose();
        Optimizer.Dispose();
        Parameters.Dispose();
    }

    /// <summary>The network's state with the averaged parameters; what is not trained is as in the network.</summary>
    private Dictionary<string, Tensor> Averaged()
    {
        var state = _network.state_dict();
        foreach (var (name, tensor) in Parameters.Named(Ema.Values))
        {
            state[name] = tensor;
        }

        return state;
    }

    private List<KeyValuePair<string, Tensor>> HistoryTensors()
    {
        if (_history?.Save() is not var (losses, counts))
        {
            return [];
        }

        return [KeyValuePair.Create(HistoryLosses, losses), KeyValuePair.Create(HistoryCounts, counts)];
    }

    private void LoadHistory(Checkpoint checkpoint, TensorDictionary saved)
    {
        try
        {
            _history?.Load(saved[HistoryLosses], saved[HistoryCounts]);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"'{checkpoint.Folder}' was made with another schedule or timestep distribution: {e.Message}", e);
        }
    }

    private IEnumerable<KeyValuePair<string, Tensor>> OptimizerTensors() =>
    [
        .. Parameters.Named(Optimizer.Mean).Select(entry => KeyValuePair.Create(MeanPrefix + entry.Key, entry.Value)),
        .. Parameters.Named(Optimizer.MeanSquare).Select(entry => KeyValuePair.Create(MeanSquarePrefix + entry.Key, entry.Value)),
    ];
}
