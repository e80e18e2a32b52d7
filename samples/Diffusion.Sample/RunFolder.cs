using Diffusion.Configuration;

namespace Diffusion.Sample;

/// <summary>The files of a run.</summary>
internal sealed class RunFolder(string path)
{
    public string Path => path;

    public string Config => At("config.json");

    public string Checkpoints => At("checkpoints");

    public string Losses => At("losses.csv");

    public string Measurements => At("measurements.csv");

    public string Events => At("events");

    public string Previews => At("previews");

    public string Best => At("best");

    public string Report => At("report.html");

    public string LossPlot => At("loss.png");

    public string Animation => At("denoising.gif");

    public string RawSamples => At("samples.safetensors");

    public string Model => At(Checkpoint.ModelFile);

    public string Picture(DataKind kind) => At(kind switch
    {
        DataKind.Mnist => "digits.png",
        DataKind.Textures => "textures.png",
        _ => "samples.png",
    });

    private string At(string name) => System.IO.Path.Combine(path, name);
}
