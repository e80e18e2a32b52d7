using System.Diagnostics;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>Records the calls of all parts of a network by forward hooks: their times and the shapes of their inputs.</summary>
internal sealed class ModuleRecorder : IDisposable
{
    private readonly List<Action> _removals = [];
    private readonly Stack<(long Start, List<TensorLayout> Inputs, int Index)> _open = new();
    private readonly List<ModuleCall?> _calls = [];

    /// <param name="network">The network; its parts are hooked, it is not itself.</param>
    public ModuleRecorder(nn.Module network)
    {
        foreach (var (name, module) in network.named_modules().Where(entry => entry.module != network && entry.name.Length > 0))
        {
            Hook(name, module);
        }
    }

    /// <summary>The calls so far, each before those within it.</summary>
    public IReadOnlyList<ModuleCall> Calls => [.. _calls.Where(call => call is not null)!];

    /// <summary>Forgets the calls so far.</summary>
    public void Clear() => _calls.Clear();

    public void Dispose() => _removals.ForEach(remove => remove());

    private void Hook(string name, nn.Module module)
    {
        switch (module)
        {
            case nn.Module<Tensor, Tensor> one:
                _removals.Add(one.register_forward_pre_hook((_, input) => Before(input, input)).remove);
                _removals.Add(one.register_forward_hook((_, _, output) => After(name, module, output)).remove);
                break;
            case nn.Module<Tensor, Tensor, Tensor> two:
                _removals.Add(two.register_forward_pre_hook((_, first, second) => Before<(Tensor, Tensor)?>((first, second), first, second)).remove);
                _removals.Add(two.register_forward_hook((_, _, _, output) => After(name, module, output)).remove);
                break;
        }
    }

    private T Before<T>(T unchanged, params Tensor[] inputs)
    {
        _calls.Add(null);
        List<TensorLayout> layouts = [.. inputs.Select(TensorLayout.Of)];
        _open.Push((Stopwatch.GetTimestamp(), layouts, _calls.Count - 1));
        return unchanged;
    }

    private Tensor After(string name, nn.Module module, Tensor output)
    {
        var (start, inputs, index) = _open.Pop();
        _calls[index] = new ModuleCall(name, module, inputs, _open.Count, Stopwatch.GetElapsedTime(start).TotalSeconds, index == _calls.Count - 1);
        return output;
    }
}
