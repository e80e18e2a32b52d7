using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>A network of a TorchScript file, in one type of numbers.</summary>
internal sealed class ScriptNetwork : IDisposable
{
    private const string Cause = "RuntimeError: "; // in TorchScript's messages, after where in the script it was

    private readonly jit.ScriptModule _module;
    private readonly string _path;

    private ScriptNetwork(jit.ScriptModule module, string path, ScalarType type) => (_module, _path, Type) = (module, path, type);

    /// <summary>float32 or float64.</summary>
    public ScalarType Type { get; }

    /// <summary>Compiles a network.</summary>
    /// <exception cref="InvalidDataException">libtorch cannot.</exception>
    public static ScriptNetwork Load(ScriptArchive archive, ScalarType type)
    {
        try
        {
            var module = archive.Load();
            module.eval();
            if (type == ScalarType.Float64)
            {
                Widen(module);
            }

            return new ScriptNetwork(module, archive.Path, type);
        }
        catch (ExternalException e)
        {
            throw new InvalidDataException($"'{archive.Path}' cannot be loaded as TorchScript: {Reason(e)}", e);
        }
    }

    /// <summary>The features of a batch.</summary>
    /// <param name="input">[B, C, H, W], in the type of the network.</param>
    /// <returns>[B, D], for the caller to dispose.</returns>
    /// <exception cref="InvalidDataException">The network fails for such images, or gives something else.</exception>
    public Tensor Run(Tensor input)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        try
        {
            return Features(_module.call(input), input.shape).MoveToOuterDisposeScope();
        }
        catch (ExternalException e)
        {
            throw new InvalidDataException($"The network of '{_path}' fails for images [{string.Join(", ", input.shape)}] of {input.dtype}: {Reason(e)}", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _module.Dispose();

    /// <summary>Floating-point parameters and buffers to float64. libtorch's own conversion changes integers, too, which are indices.</summary>
    private static void Widen(jit.ScriptModule module)
    {
        using var scope = NewDisposeScope();
        List<(jit.ScriptModule Owner, string Name, Tensor Value)> integers = [];
        Collect(module, integers);
        module.to(ScalarType.Float64);
        foreach (var (owner, name, value) in integers)
        {
            owner.set_attribute(name, value);
        }
    }

    private static void Collect(jit.ScriptModule module, List<(jit.ScriptModule, string, Tensor)> integers)
    {
        integers.AddRange(module.named_buffers(recurse: false).Where(item => !item.buffer.is_floating_point()).Select(item => (module, item.name, item.buffer.clone())));
        foreach (var (_, child) in module.named_children())
        {
            Collect((jit.ScriptModule)child, integers);
        }
    }

    private Tensor Features(object output, long[] input)
    {
        var tensor = output switch
        {
            Tensor one => one,
            Tensor[] { Length: 1 } list => list[0],
            object[] { Length: 1 } list when list[0] is Tensor one => one,
            _ => throw Other($"{Described(output)}"),
        };
        return tensor.is_floating_point() && tensor.dim() >= 2 && tensor.shape[0] == input[0] && tensor.shape[1] > 0 && tensor.shape[2..].All(length => length == 1)
            ? tensor.flatten(1)
            : throw Other(Described(tensor));

        InvalidDataException Other(string what) => new($"The network of '{_path}' gives {what} for images [{string.Join(", ", input)}]; features are needed, one tensor [{input[0]}, D] or [{input[0]}, D, 1, 1] of floating point. Wrap the network in one that returns it.");
    }

    private static string Described(object? output) => output switch
    {
        Tensor tensor => $"a tensor {tensor.dtype} [{string.Join(", ", tensor.shape)}]",
        Array list => $"{list.Length} values, {string.Join(" and ", list.Cast<object?>().Select(Described))}",
        null => "nothing",
        _ => $"a value of the type {output.GetType().Name}",
    };

    /// <summary>What libtorch says, without where in the script it was and without its stack.</summary>
    private static string Reason(ExternalException e)
    {
        var text = e.Message;
        text = text.LastIndexOf(Cause, StringComparison.Ordinal) is >= 0 and var at ? text[(at + Cause.Length)..] : text;
        text = text.IndexOf("\nException raised from", StringComparison.Ordinal) is >= 0 and var stack ? text[..stack] : text;
        return text.Trim().ReplaceLineEndings(" ");
    }
}
