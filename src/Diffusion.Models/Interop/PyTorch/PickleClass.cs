namespace Diffusion.Models;

/// <summary>A class that a pickle names as the type of a tensor, and that it may not call.</summary>
internal sealed record PickleClass(string Name)
{
    public override string ToString() => $"class torch.{Name}";
}
