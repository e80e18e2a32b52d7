namespace Diffusion.Observers.Tests;

public sealed class CsvLogTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Fit_StoppedAndResumed_EndsWithTheSameBytes()
    {
        TinyRun.Train([new CsvLog(_folder.File("whole.csv"))]);
        TinyRun.Train([new CsvLog(_folder.File("parts.csv"))], _folder.File("parts"), stopAfter: 13);
        File.AppendAllText(_folder.File("parts.csv"), "14,0.25,1,1,,,,,0\n15,0.2"); // steps that no checkpoint has, and half a line
        TinyRun.Train([new CsvLog(_folder.File("parts.csv"))], _folder.File("parts"));

        Assert.Equal(TinyRun.Steps + 1, File.ReadAllLines(_folder.File("whole.csv")).Length);
        Assert.Equal(File.ReadAllText(_folder.File("whole.csv")), File.ReadAllText(_folder.File("parts.csv")));
    }

    [Fact]
    public void Fit_LastLineCutInItsLastNumber_IsNotTakenForWhole()
    {
        TinyRun.Train([new CsvLog(_folder.File("log.csv"))], _folder.File("parts"), stopAfter: 10);
        var whole = File.ReadAllText(_folder.File("log.csv"));
        File.WriteAllText(_folder.File("log.csv"), whole[..^1]);
        Assert.Equal(9, CsvLog.Read(_folder.File("log.csv")).Last().Step);
    }

    [Fact]
    public void Read_ARun_GivesWhatTheStepsWere()
    {
        var recorder = new Recorder();
        TinyRun.Train([new CsvLog(_folder.File("log.csv")), recorder]);
        var read = CsvLog.Read(_folder.File("log.csv")).ToList();
        var quartiles = new TimestepQuartiles(TinyRun.Schedule);
        Assert.Equal(recorder.Steps.Select(step => (step.Number, step.Loss, step.LearningRate, step.GradientNorm)), read.Select(step => (step.Step, step.Loss, step.LearningRate, step.GradientNorm)));
        Assert.Equal(recorder.Steps.SelectMany(quartiles.Means), read.SelectMany(step => step.Quartiles));
        Assert.Contains(read, step => step.Quartiles.Contains(null)); // four images are rarely in all four quarters
        Assert.DoesNotContain(read, step => step.Skipped);
    }

    [Fact]
    public void OnStep_SkippedStep_IsWrittenAsItWas()
    {
        using var images = new MemoryImages();
        using var trainer = new Trainer(new TinyNetwork(), TinyRun.Schedule, TinyRun.Options);
        using (var log = new CsvLog(_folder.File("log.csv")))
        {
            log.OnStart(trainer, images);
            log.OnStep(trainer, new TrainingStep(1, double.NaN, 4, 0.5, default) { GradientNorm = double.PositiveInfinity, Skipped = true });
        }

        var step = CsvLog.Read(_folder.File("log.csv")).Single();
        Assert.Equal((double.NaN, 0.5, double.PositiveInfinity, true), (step.Loss, step.LearningRate, step.GradientNorm, step.Skipped));
        Assert.Equal([null, null, null, null], step.Quartiles);
    }

    [Fact]
    public void Fit_FileWithFewerColumns_KeepsWhatItHas()
    {
        TinyRun.Train([], _folder.File("parts"), stopAfter: 2);
        File.WriteAllText(_folder.File("log.csv"), "step,loss\n1,0.5\nnonsense\n2,0.25\n3,0.125\n");
        TinyRun.Train([new CsvLog(_folder.File("log.csv"))], _folder.File("parts"));
        Assert.Equal(["1,0.5,,,,,,,", "2,0.25,,,,,,,"], File.ReadAllLines(_folder.File("log.csv"))[1..3]);
        Assert.Equal(TinyRun.Steps, CsvLog.Read(_folder.File("log.csv")).Last().Step);
    }

    [Fact]
    public void Read_NoFile_IsEmpty() => Assert.Empty(CsvLog.Read(_folder.File("absent.csv")));

    [Fact]
    public void OnStart_FolderThatCannotBe_SaysSo()
    {
        File.WriteAllText(_folder.File("file"), "");
        Assert.ThrowsAny<IOException>(() => TinyRun.Train([new CsvLog(_folder.File("file/log.csv"))]));
    }

    public void Dispose() => _folder.Dispose();
}
