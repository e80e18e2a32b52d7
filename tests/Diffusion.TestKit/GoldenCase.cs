using System.Text.Json;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>One recorded case: its description, its tensors, its files.</summary>
public sealed class GoldenCase : IDisposable
{
    private readonly JsonDocument _json;
    private readonly string _folder;

    internal GoldenCase(string name, string folder)
    {
        (Name, _folder) = (name, folder);
        _json = JsonDocument.Parse(System.IO.File.ReadAllBytes(File("case.json")));
        Tensors = Safetensors.Load(File("tensors.safetensors"));
    }

    /// <summary>Area and case.</summary>
    public string Name { get; }

    /// <summary>The content of case.json.</summary>
    public JsonElement Json => _json.RootElement;

    /// <summary>The arguments with which the peer's class was built.</summary>
    public JsonElement Constructor => Json.GetProperty("constructor");

    /// <summary>The absolute tolerance that the recorder suggests.</summary>
    public double AbsoluteTolerance => Json.GetProperty("tolerance").GetProperty("atol").GetDouble();

    /// <summary>The relative tolerance that the recorder suggests.</summary>
    public double RelativeTolerance => Json.GetProperty("tolerance").GetProperty("rtol").GetDouble();

    /// <summary>The recorded tensors. They are the case's.</summary>
    public TensorDictionary Tensors { get; }

    /// <summary>A recorded tensor. It is the case's.</summary>
    /// <param name="name">Its name in the file.</param>
    public Tensor this[string name] => Tensors[name];

    /// <summary>The recorded tensors whose names begin with a prefix, under the rest of their names. They are the case's.</summary>
    /// <param name="prefix">For example <c>sd.</c> or <c>grad.</c></param>
    public IReadOnlyDictionary<string, Tensor> WithPrefix(string prefix) => Tensors
        .Where(item => item.Key.StartsWith(prefix, StringComparison.Ordinal))
        .ToDictionary(item => item.Key[prefix.Length..], item => item.Value, StringComparer.Ordinal);

    /// <summary>The path of a file of the case.</summary>
    /// <param name="name">For example <c>model.pth</c>.</param>
    public string File(string name) => Path.Combine(_folder, name);

    /// <inheritdoc/>
    public void Dispose()
    {
        Tensors.Dispose();
        _json.Dispose();
    }
}
