using Diffusion.Configuration;

namespace Diffusion.Sample;

/// <summary>Writes a run's configuration to its folder when training begins: when no other process can train into it.</summary>
internal sealed class ConfigurationCopy(string path, RunOptions options) : TrainingObserver
{
    public override void OnStart(Trainer trainer, IImageSource images) => RunConfiguration.Save(path, options);
}
