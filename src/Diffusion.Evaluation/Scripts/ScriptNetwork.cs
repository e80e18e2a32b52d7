using System.Runtime.CompilerServices;
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

    /// <summary>Floating-point parameters and buffers to float64. TorchSharp's own conversion changes integers, too, which are indices, and loses what it makes.</summary>
    private static void Widen(jit.ScriptModule module)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        foreach (var part in WithChildren(module).ToList())
        {
            (string Name, Tensor Value)[] tensors = [.. part.named_parameters(recurse: false).Select(item => (item.name, (Tensor)item.parameter)), .. part.named_buffers(recurse: false)];
            foreach (var (name, value) in tensors.Where(item => !item.Name.Contains('.', StringComparison.Ordinal) && item.Value.is_floating_point())) // not those of its parts
            {
                part.set_attribute(name, value.to(ScalarType.Float64));
            }

            if (part != module)
            {
                part.Dispose();
            }
        }
    }

    private static IEnumerable<jit.ScriptModule> WithChildren(jit.ScriptModule module) =>
        [module, .. module.named_children().SelectMany(child => WithChildren((jit.ScriptModule)child.Item2))];

    private Tensor Features(object output, long[] input)
    {
        var tensor = output switch
        {
            Tensor one => one,
            ITuple { Length: 1 } values when values[0] is Tensor one => one,
            Array { Length: 1 } values when values.GetValue(0) is Tensor one => one,
            _ => throw Other(Described(output)),
        };
        return tensor.is_floating_point() && tensor.dim() >= 2 && tensor.shape[0] == input[0] && tensor.shape[1] > 0 && tensor.shape[2..].All(length => length == 1)
            ? tensor.flatten(1)
            : throw Other(Described(tensor));

        InvalidDataException Other(string what) => new($"The network of '{_path}' gives {what} for images [{string.Join(", ", input)}]; features are needed, one tensor [{input[0]}, D] or [{input[0]}, D, 1, 1] of floating point. Wrap the network in one that returns it.");
    }

    private static string Described(object? output) => output switch
    {
        Tensor tensor => $"a tensor {tensor.dtype} [{string.Join(", ", tensor.shape)}]",
        ITuple values => Described([.. Enumerable.Range(0, values.Length).Select(i => values[i])]),
        Array values => Described([.. values.Cast<object?>()]),
        null => "nothing",
        _ => $"a value of the type {output.GetType().Name}",
    };

    private static string Described(object?[] values) => $"{values.Length} values, {string.Join(" and ", values.Select(value => Described(value)))}";

    /// <summary>What libtorch says, without where in the script it was and without its stack.</summary>
    private static string Reason(ExternalException e)
    {
        var text = e.Message;
        text = text.LastIndexOf(Cause, StringComparison.Ordinal) is >= 0 and var at ? text[(at + Cause.Length)..] : text;
        text = text.IndexOf("\nException raised from", StringComparison.Ordinal) is >= 0 and var stack ? text[..stack] : text;
        return text.Trim().ReplaceLineEndings(" ");
    }
}
