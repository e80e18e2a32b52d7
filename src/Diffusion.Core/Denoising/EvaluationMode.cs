using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Puts a network into evaluation mode and, when disposed, back into the mode it was in.</summary>
internal readonly ref struct EvaluationMode
{
    private readonly nn.Module _network;
    private readonly bool _wasTraining;

    public EvaluationMode(nn.Module network)
    {
        _network = network;
        _wasTraining = network.training;
        if (_wasTraining)
        {
            network.eval();
        }
    }

    public void Dispose()
    {
        if (_wasTraining)
        {
            _network.train();
        }
    }
}
