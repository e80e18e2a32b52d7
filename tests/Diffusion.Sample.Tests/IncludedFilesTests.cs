namespace Diffusion.Sample.Tests;

/// <summary>Models, configurations and images that come with the app, by their names in the repository, where the repository is not.</summary>
public sealed class IncludedFilesTests : IDisposable
{
    private readonly SampleProcess _app = new();

    [Fact]
    public void Sample_ModelOfTheRepositoryElsewhere_DrawsWithTheIncludedOneAndSaysSo()
    {
        var (code, output, error) = _app.Run("sample", "--checkpoint", "samples/models/mnist", "--label", "7", "--count", "1", "--steps", "1");
        Assert.True(code == 0, error);
        Assert.Contains("taking the one that comes with this program", Flat(output), StringComparison.Ordinal);
        Assert.True(File.Exists(_app.At("out/digits.png")));
    }

    [Theory]
    [InlineData("train", "--config", "samples/configs/mnist-quick.json", "--stop-after", "1")]
    [InlineData("train", "--from", "samples/models/mnist", "--stop-after", "1")]
    [InlineData("convert", "--from", "samples/models/mnist/model.safetensors", "--to", "copy.safetensors")]
    [InlineData("convert", "--from", "samples/models/mnist/model.safetensors", "--to", "copy.safetensors", "--config", "samples/configs/mnist-best.json")]
    [InlineData("forward", "--config", "samples/configs/mnist-quick.json", "--count", "1")]
    [InlineData("info", "samples/models/textures")]
    public void Commands_PathOfTheRepositoryElsewhere_TakeTheIncludedOne(params string[] arguments)
    {
        var (code, output, error) = _app.Run(arguments);
        Assert.True(code == 0, error);
        Assert.Contains("taking the one that comes with this program", Flat(output), StringComparison.Ordinal);
    }

    [Fact]
    public void Info_NameThatNothingIncludedHas_IsRefusedAsGiven()
    {
        var (code, _, error) = _app.Run("info", "samples/models/none");
        Assert.Equal(2, code);
        Assert.Contains("There is no file or folder 'samples/models/none'.", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("samples/models/mine", "models/mine")]
    [InlineData(@"samples\models\mine\model.safetensors", "models/mine/model.safetensors")]
    [InlineData("samples/models/mine/", "models/mine")]
    [InlineData("samples/other/mine", null)] // no folder that comes along
    [InlineData("samples/models/yours", null)]
    [InlineData("models/mine", null)]
    [InlineData("samples/models/../other/mine", null)]
    public void Find_Path_IsTheIncludedOneOrThePathItself(string path, string? included)
    {
        Directory.CreateDirectory(_app.At("models/mine"));
        Directory.CreateDirectory(_app.At("other/mine"));
        File.WriteAllText(_app.At("models/mine/model.safetensors"), "");
        Assert.Equal(included is null ? path : Path.GetFullPath(_app.At(included)), included is null ? IncludedFiles.Find(path, _app.At("")) : Path.GetFullPath(IncludedFiles.Find(path, _app.At(""))));
    }

    [Fact]
    public void Find_PathThatIsThere_IsThatPath()
    {
        Directory.CreateDirectory(_app.At("configs"));
        Assert.Equal(_app.At("configs"), IncludedFiles.Find(_app.At("configs"), _app.At("")));
    }

    public void Dispose() => _app.Dispose();

    /// <summary>Without the ends of lines that the width of the console makes.</summary>
    private static string Flat(string output) => string.Join(' ', output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
