using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// The weights of a model on disk, whatever their format: a safetensors file, a PyTorch file (.pth, .pt, .bin), either of them in several shards with an
/// index, or a folder in the layout of diffusers that holds one of these. A file is known by its content, whatever its name. Nothing in such files is run.
/// </summary>
/// <remarks>Safetensors files are read tensor by tensor. A PyTorch file is read as a whole when it is opened, as its format asks for.</remarks>
public sealed class WeightFiles : IDisposable
{
    private const int FewNames = 5;

    private readonly Dictionary<string, (WeightShard Shard, string Name)> _tensors;
    private readonly IReadOnlyList<WeightShard> _shards;

    private WeightFiles(OpenedWeights opened, WeightSelection selection, IReadOnlyList<string> notes)
    {
        Path = opened.Path;
        Files = [.. opened.Files.Select(file => file.Path)];
        Format = opened.Files[0].Format;
        Metadata = opened.Files[0].Metadata;
        Notes = [.. opened.Notes, .. notes];
        _shards = opened.Files;
        _tensors = selection.Names.ToDictionary(item => item.Key, item => (opened.Shards[item.Value], item.Value), StringComparer.Ordinal);
        Tensors = _tensors.Where(item => item.Value.Shard.Tensors.ContainsKey(item.Value.Name)).ToDictionary(item => item.Key, item => item.Value.Shard.Tensors[item.Value.Name], StringComparer.Ordinal);
        Unreadable = _tensors.Where(item => item.Value.Shard.Unreadable.ContainsKey(item.Value.Name)).ToDictionary(item => item.Key, item => item.Value.Shard.Unreadable[item.Value.Name], StringComparer.Ordinal);
    }

    /// <summary>The file that was opened: that of the weights, or their index.</summary>
    public string Path { get; }

    /// <summary>The files that hold the tensors: one, or the shards in ordinal order of their names.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>The format of the files: <c>safetensors</c> or <c>PyTorch</c>.</summary>
    public string Format { get; }

    /// <summary>The text that goes with the tensors, of the first file. PyTorch files have none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The types and shapes of the tensors that can be read, by their names.</summary>
    public IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    /// <summary>The tensors of types that safetensors has and TorchSharp has not, by their names: type and shape, such as <c>F8_E4M3 [8, 3]</c>. The others can be read.</summary>
    public IReadOnlyDictionary<string, string> Unreadable { get; }

    /// <summary>What is worth knowing of the files and of the choice of tensors, as sentences: a file that was not read, names that were changed, tensors that were left out. Often empty.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>The folders in which a pipeline's folder and a checkpoint of a training script have their networks: <c>unet_ema</c>, the averaged one, and <c>unet</c>.</summary>
    public static IReadOnlyList<string> NetworkFolders { get; } = [WeightFolder.Averaged, WeightFolder.Network];

    /// <summary>Opens weights: all tensors, under the names that they have.</summary>
    /// <param name="path">
    /// A file, which is known by its content; an index, <c>*.index.json</c>; or a folder that holds a file with one of the names that diffusers uses, itself or in
    /// one of <see cref="NetworkFolders"/>: in a place with a config.json before one without, in <c>unet</c> first where there is a model_index.json, else in the folder itself and then in <c>unet_ema</c>. In a folder safetensors come before PyTorch files and, as in diffusers, an index of shards before one file.
    /// </param>
    /// <param name="variant">Of a folder the variant, as <c>fp16</c> in <c>diffusion_pytorch_model.fp16.safetensors</c>; none by default.</param>
    /// <returns>The weights; the caller disposes them.</returns>
    /// <exception cref="ArgumentException">There is a variant with a file, or it is no part of a file's name.</exception>
    /// <exception cref="FileNotFoundException">There is no such file, shards are missing, or the folder has none of the names; the message names what there is.</exception>
    /// <exception cref="InvalidDataException">A file is something else, damaged or refused, a shard would lie outside the folder, or the index and the shards
    /// disagree about a tensor; the message names the file and the reason.</exception>
    public static WeightFiles Open(string path, string? variant = null) => Open(path, variant, opened => (WeightSelection.All(opened.Shards.Keys), Seen(opened)));

    /// <summary>
    /// Opens the weights of one network. What wraps them is taken off, and <see cref="Notes"/> says so: the key of a state dictionary beside which an optimizer's state lies
    /// (<c>{model, optimizer, epoch}</c>, <c>state_dict</c>), and the parts <c>_orig_mod.</c> and <c>module.</c> in names.
    /// </summary>
    /// <param name="path">As of <see cref="Open(string, string?)"/>.</param>
    /// <param name="prefix">
    /// What the names of the tensors to take begin with, which is cut off: <c>ema/</c> where a PyTorch file nests them. With an empty text all tensors are taken as they are.
    /// By default it is found, and must be the only one possible.
    /// </param>
    /// <param name="variant">As of <see cref="Open(string, string?)"/>.</param>
    /// <returns>The weights; the caller disposes them.</returns>
    /// <exception cref="ArgumentException">No name begins with the prefix, or there is a variant with a file.</exception>
    /// <exception cref="FileNotFoundException">As of <see cref="Open(string, string?)"/>.</exception>
    /// <exception cref="InvalidDataException">As of <see cref="Open(string, string?)"/>; or the file holds several networks, of which the message names the prefixes, or none, or an average
    /// as a list without names.</exception>
    public static WeightFiles OpenNetwork(string path, string? prefix = null, string? variant = null) => Open(path, variant, opened =>
    {
        var selection = opened.Select(prefix);
        return (selection, selection.Taken);
    });

    /// <summary>Reads a tensor.</summary>
    /// <param name="name">A key of <see cref="Tensors"/>.</param>
    /// <returns>A tensor on the CPU that the caller, or the caller's dispose scope, owns. Tensors of a PyTorch file share memory with each other as they did when they were saved.</returns>
    /// <exception cref="KeyNotFoundException">There is no such tensor; the message names both.</exception>
    /// <exception cref="InvalidDataException">The tensor is one of <see cref="Unreadable"/>, the file was cut off after it was opened, or has a bool that is neither 0 nor 1.</exception>
    public Tensor Read(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _tensors.TryGetValue(name, out var tensor) ? tensor.Shard.Read(tensor.Name) : throw new KeyNotFoundException($"'{Path}' has no tensor '{name}'.");
    }

    /// <summary>Reads all tensors.</summary>
    /// <returns>The tensors, on the CPU; the caller disposes them.</returns>
    /// <exception cref="InvalidDataException">As <see cref="Read"/>; where there are tensors in <see cref="Unreadable"/>, before any is read.</exception>
    public TensorDictionary Load()
    {
        using var scope = NewDisposeScope();
        return new TensorDictionary(Unreadable.Keys.Concat(Tensors.Keys).Select(name => KeyValuePair.Create(name, Read(name))));
    }

    /// <summary>Compares the size of a network with that of the weights, before memory is taken for either.</summary>
    /// <param name="network">The block list of the network that the weights are meant for.</param>
    /// <exception cref="InvalidDataException">There are tensors in <see cref="Unreadable"/>, which have no size here; the message names them. Or the network has more parameters than the files have, and more than 2²² (16 MiB); the message names both. Of a smaller one loading names the weights that do not fit.</exception>
    public void ThrowIfSmallerThan(UNetOptions network)
    {
        ArgumentNullException.ThrowIfNull(network);
        if (Unreadable.Count > 0)
        {
            var shown = string.Join(", ", Unreadable.OrderBy(item => item.Key, StringComparer.Ordinal).Take(FewNames).Select(item => $"'{item.Key}' ({item.Value})"));
            throw new InvalidDataException(
                $"'{Path}' has tensors of types that cannot be read here: {shown}{(Unreadable.Count > FewNames ? $" and {Unreadable.Count - FewNames} more" : "")}. Convert them to float16, bfloat16 or float32 where they come from.");
        }

        NetworkSize.ThrowIfLarger(network, _shards.SelectMany(shard => shard.Tensors.Values).Sum(tensor => tensor.Count), Path);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var shard in _shards)
        {
            shard.Dispose();
        }
    }

    private static WeightFiles Open(string path, string? variant, Func<OpenedWeights, (WeightSelection, IReadOnlyList<string>)> select)
    {
        var opened = OpenedWeights.Open(path, variant);
        try
        {
            var (selection, notes) = select(opened);
            return new WeightFiles(opened, selection, notes);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    private static IReadOnlyList<string> Seen(OpenedWeights opened)
    {
        try
        {
            return opened.Select(null).Seen;
        }
        catch (InvalidDataException exception)
        {
            return [exception.Message];
        }
    }
}
