using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>A module with the weights of a file, under the names of the file, that answers with recorded outputs, one a call.</summary>
internal sealed class StandInNetwork : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly Tensor _outputs;

    public StandInNetwork(IReadOnlyDictionary<string, TensorInfo> weights, Tensor outputs)
        : base(nameof(StandInNetwork))
    {
        _outputs = outputs;
        Fill(this, weights.Select(item => (item.Key.Split('.'), item.Value)));
    }

    public List<long> Timesteps { get; } = [];

    public List<Tensor> Inputs { get; } = [];

    /// <summary>What a factory of networks gives; the names are the same on both sides.</summary>
    public static DiffusersNetwork Build(string folder, Tensor outputs)
    {
        using var weights = WeightFiles.Open(folder);
        return new DiffusersNetwork(new StandInNetwork(weights.Tensors, outputs), new KeyMap("diffusers", weights.Tensors.Keys.Select(name => (name, name))));
    }

    public override Tensor forward(Tensor noisy, Tensor timesteps)
    {
        Inputs.Add(noisy.clone().DetachFromDisposeScope());
        Timesteps.Add(timesteps[0].item<long>());
        return _outputs[Timesteps.Count - 1].clone();
    }

    private static void Fill(nn.Module module, IEnumerable<(string[] Path, TensorInfo Info)> weights)
    {
        foreach (var group in weights.GroupBy(item => item.Path[0]))
        {
            if (group.First().Path.Length == 1)
            {
                module.register_parameter(group.Key, nn.Parameter(zeros([.. group.Single().Info.Shape], group.Single().Info.Type)));
            }
            else
            {
                var child = new Group();
                Fill(child, group.Select(item => (item.Path[1..], item.Info)));
                module.register_module(group.Key, child);
            }
        }
    }

    private sealed class Group() : nn.Module(nameof(Group));
}
