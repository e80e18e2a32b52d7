using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Observers.Tests;

/// <summary>A program that has set torch's default type, for another model, gets the same logs.</summary>
public sealed class DefaultTypeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MemoryImages _heldOut = new(20);

    [Fact]
    public void Fit_WithEveryLog_WritesTheSameNumbers() => DefaultTypes.Agree(() =>
    {
        var recorder = new Recorder();
        var norms = new List<double>();
        var norm = new Recorder { Then = (trainer, step) => norms.Add(trainer.ParameterNorm()) };
        File.Delete(_folder.File("log.csv"));
        using var events = new TensorBoardLog(_folder.File("events"), 10, new ManualClock());
        TinyRun.Train([new CsvLog(_folder.File("log.csv")), recorder, norm, events, new ValidationLoss(_heldOut, 7, 12), new HtmlReport(_folder.File("report.html"))]);
        return new()
        {
            ["log"] = tensor(File.ReadAllBytes(_folder.File("log.csv"))),
            ["measured"] = tensor(recorder.Measurements.Select(each => each.Value).ToArray()),
            ["norms"] = tensor(norms.ToArray()),
        };
    });

    public void Dispose()
    {
        _heldOut.Dispose();
        _folder.Dispose();
    }
}
