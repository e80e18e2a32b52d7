using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Everything of a run that changes from step to step: weights, their averages, the optimizer's averages, the step.</summary>
internal sealed class TrainerState : IDisposable
{
    private const string MeanPrefix = "exp_avg.";
    private const string MeanSquarePrefix = "exp_avg_sq.";
    private const string HistoryLosses = "timestep_losses";
    private const string HistoryCounts = "timestep_counts";

    private readonly nn.Module _network;
    private readonly LossHistory? _history;
    private readonly AdamOptimizer _optimizer;

    public TrainerState(nn.Module network, TrainerOptions options, LossHistory? history)
    {
        _network = network;
        _history = history;
        Parameters = new FlatParameters(network);
        _optimizer = new AdamOptimizer(Parameters.Values, options.Optimizer, options.Optimizer is { WeightDecay: > 0, DecayMatricesOnly: true } ? Parameters.Matrices() : null);
        Averages = [.. options.Ema.Others.Prepend(options.Ema).Select(ema => new EmaWeights(Parameters.Values, ema, options.BatchSize))];
    }

    public FlatParameters Parameters { get; }

    /// <summary>The averages, at least one.</summary>
    public IReadOnlyList<EmaWeights> Averages { get; }

    /// <summary>Steps done.</summary>
    public int Step { get; private set; }

    /// <summary>How many of them changed the weights: what the optimizer counts, as those of PyTorch do.</summary>
    public int Updates { get; private set; }

    /// <summary>How many of the last steps, in a row, left the weights as they were.</summary>
    public int SkippedInARow { get; private set; }

    /// <summary>Changes the weights by their gradients, and the averages.</summary>
    /// <param name="learningRate">The learning rate.</param>
    /// <param name="norm">The norm of all gradients together.</param>
    public void Update(double learningRate, double norm)
    {
        _optimizer.Update(Parameters.Values, Parameters.Gradients, norm, learningRate, ++Updates, [.. Averages.Select(average => (average.Values, average.WeightAt(Step)))]);
        WeightCache.Changed();
    }

    public void Advance(bool skipped) => (Step, SkippedInARow) = (Step + 1, skipped ? SkippedInARow + 1 : 0);

    /// <summary>The name of the file with an average.</summary>
    public static string AverageFile(int index) =>
        index == 0 ? Checkpoint.EmaFile : string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(Checkpoint.EmaFile)}-{index}{Path.GetExtension(Checkpoint.EmaFile)}");

    /// <summary>Copies everything to memory of the host.</summary>
    /// <returns>The files of a checkpoint, for the caller to dispose.</returns>
    public IReadOnlyDictionary<string, TensorDictionary> Capture()
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var files = CaptureNetworks();
        files[Checkpoint.OptimizerFile] = new([.. OptimizerTensors(Copy(_optimizer.Mean), Copy(_optimizer.MeanSquare)), .. HistoryTensors()]);
        return files;
    }

    /// <summary>Copies the network's weights, plain and averaged, to memory of the host.</summary>
    /// <returns>A file for each, for the caller to dispose.</returns>
    public Dictionary<string, TensorDictionary> CaptureNetworks()
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var trained = Parameters.Names.ToHashSet(StringComparer.Ordinal);
        var others = _network.state_dict().Where(entry => !trained.Contains(entry.Key)).Select(entry => KeyValuePair.Create(entry.Key, Copy(entry.Value))).ToList();
        var files = new Dictionary<string, TensorDictionary> { [Checkpoint.ModelFile] = Network(Parameters.Values) };
        for (var i = 0; i < Averages.Count; i++)
        {
            files[AverageFile(i)] = Network(Averages[i].Values);
        }

        return files;

        TensorDictionary Network(Tensor buffer) => new([.. Parameters.Named(Copy(buffer)), .. others.Select(entry => KeyValuePair.Create(entry.Key, entry.Value.alias()))]);
    }

    public void Load(Checkpoint checkpoint)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        using var model = Open(checkpoint, Checkpoint.ModelFile);
        using var optimizer = Open(checkpoint, Checkpoint.OptimizerFile);
        var needed = OptimizerTensors(_optimizer.Mean, _optimizer.MeanSquare).Concat(HistoryTensors()).Select(entry => entry.Key).Except(optimizer.Keys).ToList();
        if (needed.Count > 0)
        {
            throw new InvalidDataException($"'{checkpoint.Folder}' is of another network or objective: its optimizer state lacks {string.Join(", ", needed.Take(5))}.");
        }

        var averages = Averages.Select((_, i) => Open(checkpoint, AverageFile(i))).ToList();
        CheckHistory(checkpoint, optimizer);
        LoadWeights(checkpoint, model); // changes nothing where the checkpoint is of another network
        _history?.Load(optimizer[HistoryLosses], optimizer[HistoryCounts]);
        for (var i = 0; i < averages.Count; i++)
        {
            using var average = averages[i];
            Fill(Parameters.Named(Averages[i].Values), average);
        }

        Fill(OptimizerTensors(_optimizer.Mean, _optimizer.MeanSquare), optimizer);
        (Step, Updates, SkippedInARow) = (checkpoint.Manifest.Step, checkpoint.Manifest.Updates ?? checkpoint.Manifest.Step, checkpoint.Manifest.SkippedInARow);
    }

    public void Dispose()
    {
        foreach (var average in Averages)
        {
            average.Dispose();
        }

        _optimizer.Dispose();
        Parameters.Dispose();
    }

    private static Tensor Copy(Tensor tensor) => tensor.detach().to(CPU, copy: true);

    private static TensorDictionary Open(Checkpoint checkpoint, string file) => checkpoint.Manifest.Files.ContainsKey(file)
        ? Safetensors.Load(Path.Combine(checkpoint.Folder, file))
        : throw new InvalidDataException($"'{checkpoint.Folder}' lacks {file}: it has {string.Join(", ", checkpoint.Manifest.Files.Keys)}. Resume with the averages of the run ({nameof(EmaOptions)}.{nameof(EmaOptions.Others)}).");

    private static void Fill(IEnumerable<KeyValuePair<string, Tensor>> tensors, TensorDictionary saved)
    {
        foreach (var (name, tensor) in tensors)
        {
            tensor.copy_(saved[name]);
        }
    }

    private List<KeyValuePair<string, Tensor>> HistoryTensors()
    {
        if (_history?.Save() is not var (losses, counts))
        {
            return [];
        }

        return [KeyValuePair.Create(HistoryLosses, losses), KeyValuePair.Create(HistoryCounts, counts)];
    }

    private void LoadWeights(Checkpoint checkpoint, TensorDictionary saved)
    {
        try
        {
            Weights.Load(_network, saved);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"'{checkpoint.Folder}' is of another network. {e.Message}", e);
        }
    }

    private void CheckHistory(Checkpoint checkpoint, TensorDictionary saved)
    {
        try
        {
            _history?.Check(saved[HistoryLosses], saved[HistoryCounts]);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"'{checkpoint.Folder}' was made with another schedule or timestep distribution: {e.Message}", e);
        }
    }

    private IEnumerable<KeyValuePair<string, Tensor>> OptimizerTensors(Tensor mean, Tensor meanSquare) =>
    [
        .. Parameters.Named(mean).Select(entry => KeyValuePair.Create(MeanPrefix + entry.Key, entry.Value)),
        .. Parameters.Named(meanSquare).Select(entry => KeyValuePair.Create(MeanSquarePrefix + entry.Key, entry.Value)),
    ];
}
