using System.Text;

namespace Diffusion.Sample;

/// <summary>Writes a run's configuration to its folder when training begins: when no other process can train into it.</summary>
internal sealed class ConfigurationCopy(string path, string json) : TrainingObserver
{
    public override void OnStart(Trainer trainer, IImageSource images) => WholeFile.Write(path, Encoding.UTF8.GetBytes(json));
}
