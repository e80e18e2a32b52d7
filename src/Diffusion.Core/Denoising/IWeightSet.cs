namespace Diffusion;

/// <summary>Other weights for a network, such as a moving average.</summary>
internal interface IWeightSet
{
    /// <summary>Lets the network compute with these weights.</summary>
    void PutIn();

    /// <summary>Lets the network compute with its own weights again.</summary>
    void TakeOut();
}
