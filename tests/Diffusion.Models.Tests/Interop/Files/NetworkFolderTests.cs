using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Which weights are taken of a folder that has several networks, and files of descriptions that are no files.</summary>
public sealed class NetworkFolderTests : IDisposable
{
    private const string Weights = "diffusion_pytorch_model.safetensors";

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("unet", "unet", 0)]
    [InlineData("unet_ema", "unet_ema", 0)]
    [InlineData("unet unet_ema", "unet_ema", 1)]
    [InlineData(". unet unet_ema", ".", 2)]
    [InlineData(". unet unet/config.json", "unet", 1)]
    [InlineData("unet unet_ema model_index.json", "unet", 1)]
    [InlineData(". unet model_index.json", "unet", 1)]
    public void Open_FolderOfSeveralNetworks_TakesOneAndNamesTheOthers(string content, string expected, int others)
    {
        ArgumentNullException.ThrowIfNull(content);
        foreach (var name in content.Split(' '))
        {
            if (name.EndsWith(".json", StringComparison.Ordinal))
            {
                _folder.Write(name, "{}"u8.ToArray());
                continue;
            }

            using var value = ones(1);
            Safetensors.Save(_folder.File(Path.Combine(name, Weights)), [KeyValuePair.Create("a", value)]);
        }

        using var weights = WeightFiles.OpenNetwork(_folder.Path);
        Assert.Equal(Path.GetFullPath(_folder.File(Path.Combine(expected, Weights))), Path.GetFullPath(weights.Path));
        Assert.Equal(others, weights.Notes.Count);
        Assert.All(weights.Notes, note => Assert.Contains($"{Weights}' was taken", note, StringComparison.Ordinal));
    }

    /// <summary>Each would wait for ever.</summary>
    [Fact]
    public void Read_NamedPipe_IsRefusedAndNotWaitedFor()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no named pipes among its files");
        var (pipe, index) = (NamedPipe.At(_folder.File("config.json")), NamedPipe.At(_folder.File("a.safetensors.index.json")));
        Action[] readers = [() => DiffusersUNet.Read(pipe), () => OpenAIUNet.Read(pipe), () => DiffusersScheduler.Read(pipe)];
        Assert.All(readers, read => Assert.Equal($"'{pipe}' is a named pipe; a file is needed.", Assert.Throws<InvalidDataException>(read).Message));
        Assert.Equal($"'{index}' is a named pipe; a file is needed.", Assert.Throws<InvalidDataException>(() => WeightFiles.Open(index)).Message);
    }

    [Fact]
    public void Read_WrongOrAbsentFile_NamesIt()
    {
        var file = _folder.File("config.json");
        Action[] readers = [() => DiffusersUNet.Read(file), () => OpenAIUNet.Read(file), () => DiffusersScheduler.Read(file)];
        Assert.All(readers, read => Assert.Contains(file, Assert.Throws<FileNotFoundException>(read).Message, StringComparison.Ordinal));
        _folder.Write("config.json", "[]"u8.ToArray());
        Assert.All(readers, read => Assert.StartsWith($"'{file}' cannot be read as ", Assert.Throws<InvalidDataException>(read).Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Read_UnknownKeys_ShowsAFewOfThemShortened()
    {
        var keys = string.Join(", ", Enumerable.Range(0, 50).Select(i => $"\"key{i}\": [{string.Join(", ", Enumerable.Repeat("\n\"value\"", 500))}]"));
        var message = Assert.Throws<InvalidDataException>(() => DiffusersUNet.Parse($"{{{keys}}}")).Message;
        Assert.Contains("\"key9\" ([", message, StringComparison.Ordinal);
        Assert.Contains("and 40 more", message, StringComparison.Ordinal);
        Assert.InRange(message.Length, 100, 1500);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void ToJson_SchedulerOfPython_IsPlainJson()
    {
        _folder.Write("s.json", """{"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity, "beta_end": 0.01}"""u8.ToArray());
        using var json = System.Text.Json.JsonDocument.Parse(DiffusersScheduler.Read(_folder.File("s.json")).ToJson());
        Assert.Equal(0.01, json.RootElement.GetProperty("beta_end").GetDouble());
        Assert.Equal(double.NegativeInfinity, json.RootElement.GetProperty("lambda_min_clipped").GetDouble());
    }

    public void Dispose() => _folder.Dispose();
}
