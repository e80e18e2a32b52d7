using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Moves the trainable parameters of a network into one buffer, and their gradients into another, so that an update of all weights
/// takes a handful of operations. The parameters become views of the buffer; the network does not notice.
/// </summary>
internal sealed class FlatParameters : IDisposable
{
    private const int Alignment = 16; // floats: a cache line

    private readonly List<(string Name, Parameter Parameter, long Offset)> _entries = [];
    private readonly List<Tensor> _gradients = []; // of each parameter, a view of all
    private readonly nn.Module _network;

    public FlatParameters(nn.Module network)
    {
        _network = network;
        long size = 0;
        foreach (var (name, parameter) in network.named_parameters().Where(entry => entry.parameter.requires_grad))
        {
            _entries.Add((name, parameter, size));
            size += (parameter.numel() + Alignment - 1) / Alignment * Alignment;
        }

        if (_entries.Count == 0)
        {
            throw new ArgumentException("The network has no parameters that require gradients: there is nothing to train.", nameof(network));
        }

        var odd = _entries.FirstOrDefault(entry => entry.Parameter.dtype != ScalarType.Float32 || entry.Parameter.device.ToString() != _entries[0].Parameter.device.ToString());
        if (odd.Parameter is not null)
        {
            throw new ArgumentException($"All parameters must be Float32 and on one device; '{odd.Name}' is {odd.Parameter.dtype} on {odd.Parameter.device}, '{_entries[0].Name}' is on {_entries[0].Parameter.device}.{DefaultType(odd.Parameter.dtype)}", nameof(network));
        }

        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        Values = FlatBuffer.Create(Device, size);
        Gradients = FlatBuffer.Create(Device, size);
        foreach (var (_, parameter, offset) in _entries)
        {
            var value = View(Values, parameter, offset);
            value.copy_(parameter);
            parameter.set_(value);
            _gradients.Add(View(Gradients, parameter, offset).DetachFromDisposeScope());
        }

        ZeroGradients();
    }

    /// <summary>Every parameter, one after the other, with a few zeros between.</summary>
    public Tensor Values { get; }

    /// <summary>Their gradients; backward passes add to them.</summary>
    public Tensor Gradients { get; }

    public IEnumerable<string> Names => _entries.Select(entry => entry.Name);

    public Device Device => _entries[0].Parameter.device;

    /// <summary>Sets all gradients to 0, and has backward passes add to them again, also where something took a parameter's away: <c>zero_grad</c>, or freezing and unfreezing.</summary>
    public void ZeroGradients()
    {
        using var noGradients = no_grad();
        Gradients.zero_();
        foreach (var (entry, gradient) in _entries.Zip(_gradients))
        {
            entry.Parameter.grad = gradient;
        }
    }

    /// <summary>The Euclidean norm of all gradients together, [1]; on their device, so that nobody waits for it here.</summary>
    public Tensor GradientNorm() => FlatBuffer.Handles(Gradients) ? tensor([FlatBuffer.Norm(Gradients)]) : Gradients.norm().view(1);

    /// <summary>A buffer of the same layout, cut into named views that the caller disposes.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Named(Tensor buffer) =>
        _entries.Select(entry => KeyValuePair.Create(entry.Name, View(buffer, entry.Parameter, entry.Offset)));

    /// <summary>Lets the network compute with a buffer of the same layout. Nothing is copied: the parameters are views, and look elsewhere from now on.</summary>
    public void PointTo(Tensor buffer)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (_, parameter, offset) in _entries)
        {
            parameter.set_(View(buffer, parameter, offset));
        }
    }

    /// <summary>1 where a parameter of at least two dimensions lies, 0 elsewhere: the layout of the buffers, for the caller to dispose.</summary>
    public Tensor Matrices()
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var mask = zeros_like(Values);
        foreach (var (_, parameter, offset) in _entries.Where(entry => entry.Parameter.dim() > 1))
        {
            mask.narrow(0, offset, parameter.numel()).fill_(Scalars.One);
        }

        return mask.DetachFromDisposeScope();
    }

    /// <summary>Throws if the network's first parameter lies in another buffer: quick enough for every step.</summary>
    public void ThrowIfElsewhere()
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var (name, parameter, offset) = _entries[0];
        if (parameter.IsInvalid || !SameMemory(parameter, View(Values, parameter, offset)))
        {
            throw new InvalidOperationException($"The parameter '{name}' was moved or replaced after the trainer was made, or another trainer was made for the network. Move the network to its device first, then make the one trainer.");
        }
    }

    /// <summary>Throws if the network's parameters are no longer views of the buffer, as after <c>network.to(device)</c>, or others are to be trained than those.</summary>
    public void ThrowIfReplaced()
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var trained = _entries.Select(entry => entry.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var (name, parameter) in _network.named_parameters().Where(entry => entry.parameter.requires_grad != trained.Contains(entry.name)))
        {
            throw new InvalidOperationException($"The parameter '{name}' was {(parameter.requires_grad ? "unfrozen" : "frozen")} after the trainer was made. Freeze and unfreeze first, then make the trainer.");
        }

        foreach (var (name, parameter, offset) in _entries)
        {
            if (parameter.IsInvalid || parameter.device.ToString() != Values.device.ToString() || parameter.dtype != Values.dtype || !SameMemory(parameter, View(Values, parameter, offset)))
            {
                throw new InvalidOperationException($"The parameter '{name}' was moved or replaced after the trainer was made. Move the network to its device first, then make the trainer.");
            }
        }
    }

    public void Dispose()
    {
        _gradients.ForEach(each => each.Dispose());
        Gradients.Dispose();
        Values.Dispose();
    }

    /// <summary>What may have given a parameter its type.</summary>
    private static string DefaultType(ScalarType type) => type != ScalarType.Float32 && type == get_default_dtype()
        ? $" {type} is torch's default type here (torch.set_default_dtype), which layers of torch.nn take: make them with dtype Float32, or convert the network first."
        : "";

    private static Tensor View(Tensor buffer, Tensor parameter, long offset)
    {
        using var flat = buffer.narrow(0, offset, parameter.numel());
        return flat.view(parameter.shape);
    }

    private static bool SameMemory(Tensor one, Tensor other)
    {
        if (one.numel() == 0 || one.device_type != DeviceType.CPU)
        {
            return true;
        }

        unsafe
        {
            fixed (byte* a = one.bytes, b = other.bytes)
            {
                return a == b;
            }
        }
    }
}
