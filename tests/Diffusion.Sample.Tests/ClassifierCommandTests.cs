using Diffusion.Evaluation;

namespace Diffusion.Sample.Tests;

/// <summary>The command that trains classifiers.</summary>
public sealed class ClassifierCommandTests : IDisposable
{
    private readonly SampleProcess _app = new();

    public void Dispose() => _app.Dispose();

    [Theory]
    [InlineData("mnist", "digits", "0")]
    [InlineData("textures", "textures", "brick")]
    public void Classifier_Twice_WritesTheSameBitsAndWhatTheyAre(string kind, string name, string firstClass)
    {
        string[] arguments = ["classifier", "--kind", kind, "--limit", "150", "--held-out", "50", "--epochs", "1", "--seed", "4"];
        var (exitCode, output, error) = _app.Run([.. arguments, "--out", "one.safetensors"]);
        Assert.True(exitCode == 0, error);
        _app.Run([.. arguments, "--out", "new/two.safetensors"]);
        using var classifier = ImageClassifier.Load(_app.At("one.safetensors"));

        Assert.Equal(File.ReadAllBytes(_app.At("one.safetensors")), File.ReadAllBytes(_app.At("new/two.safetensors")));
        Assert.StartsWith($"{name}-", classifier.Name, StringComparison.Ordinal);
        Assert.Contains(classifier.Name, output, StringComparison.Ordinal);
        Assert.Contains(classifier.About["accuracy on test images"], output, StringComparison.Ordinal);
        Assert.Equal(firstClass, classifier.ClassNames[0]);
        Assert.Equal($"classifier --kind {kind} --name {name} --epochs 1 --seed 4 --held-out 50 --limit 150", classifier.About["command"]);
        Assert.Equal("the first 100 of the training images", classifier.About["training images"]);
    }

    [Theory]
    [InlineData("--kind must be mnist or textures", "--kind", "letters", "--out", "a.safetensors")]
    [InlineData("*.safetensors", "--kind", "mnist", "--out", "a.pt")]
    [InlineData("--epochs", "--kind", "mnist", "--out", "a.safetensors", "--epochs", "0")]
    [InlineData("--name", "--kind", "mnist", "--out", "a.safetensors", "--name", "a b")]
    [InlineData("held back", "--kind", "mnist", "--out", "a.safetensors", "--limit", "10")]
    [InlineData("limit", "--kind", "textures", "--out", "a.safetensors", "--limit", "0")]
    public void Classifier_OptionsThatDoNotFit_AreRefusedByName(string named, params string[] arguments)
    {
        var (exitCode, _, error) = _app.Run(["classifier", .. arguments]);
        Assert.Equal(2, exitCode);
        Assert.Contains(named, error, StringComparison.Ordinal);
        Assert.False(File.Exists(_app.At("a.safetensors")));
    }

    [Fact]
    public void Classifier_FolderWithoutMnist_IsRefusedByName()
    {
        var (exitCode, _, error) = _app.Run("classifier", "--kind", "mnist", "--data", "absent", "--out", "a.safetensors");
        Assert.Equal(1, exitCode);
        Assert.Contains("absent", error, StringComparison.Ordinal);
    }
}
