using Diffusion.Evaluation;
using Diffusion.Imaging;

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
    [InlineData("--kind must be mnist, textures or folder", "--kind", "letters", "--out", "a.safetensors")]
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

    /// <summary>Bright images and dark ones, in colour and of any size.</summary>
    [Fact]
    public void Classifier_OfAFolder_TellsItsClasses()
    {
        Pictures("pictures/bright", 12, 160);
        Pictures("pictures/dark", 8, 10);
        string[] arguments = ["classifier", "--kind", "folder", "--data", "pictures", "--seed", "4"];
        var (exitCode, output, error) = _app.Run([.. arguments, "--out", "one.safetensors"]);
        Assert.True(exitCode == 0, error);
        _app.Run([.. arguments, "--held-out", "5", "--epochs", "2", "--name", "light", "--out", "two.safetensors"]);
        using ImageClassifier one = ImageClassifier.Load(_app.At("one.safetensors")), two = ImageClassifier.Load(_app.At("two.safetensors"));

        Assert.Equal(["bright", "dark"], one.ClassNames);
        Assert.StartsWith("classifier-", one.Name, StringComparison.Ordinal);
        Assert.Contains("Right: 100.00 % of the 2 images held back", output, StringComparison.Ordinal);
        Assert.DoesNotContain("test images", output, StringComparison.Ordinal);
        Assert.Equal("classifier --kind folder --name classifier --epochs 712 --seed 4 --data pictures", one.About["command"]); // 200 steps of 64 are 712 times 18 images
        Assert.Equal("18 of 20, all but 2 that are evenly spread", one.About["training images"]);
        Assert.Equal("100.00 %", one.About["accuracy on held-back images"]);
        Assert.False(one.About.ContainsKey("accuracy on test images"));
        Assert.StartsWith("light-", two.Name, StringComparison.Ordinal);
        Assert.Equal("classifier --kind folder --name light --epochs 2 --seed 4 --held-out 5 --data pictures", two.About["command"]);
    }

    [Theory]
    [InlineData("--kind folder needs --data")]
    [InlineData("has the subfolder 'bright' alone; a classifier needs images of at least two classes", "--data", "single")]
    [InlineData("has no subfolders; a classifier needs images of at least two classes", "--data", "single/bright")]
    [InlineData("--limit has no use here", "--data", "two", "--limit", "3")]
    [InlineData("--held-out must be at least 1 and at most 3", "--data", "two", "--held-out", "4")]
    [InlineData("--held-out must be at least 1 and at most 3", "--data", "two", "--held-out", "0")]
    [InlineData("Of 'dark' no image is left to train on: 3 of ", "--data", "two", "--held-out", "3")]
    public void Classifier_OfAFolderThatCannotBe_IsRefused(string expected, params string[] arguments)
    {
        Pictures("single/bright", 2, 160);
        Pictures("two/bright", 3, 160);
        Pictures("two/dark", 1, 10);
        var (exitCode, _, error) = _app.Run(["classifier", "--kind", "folder", "--out", "a.safetensors", .. arguments]);
        Assert.True(exitCode == 2, error);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.False(File.Exists(_app.At("a.safetensors")));
    }

    [Fact]
    public void Classifier_FolderWithoutMnist_IsRefusedByName()
    {
        var (exitCode, _, error) = _app.Run("classifier", "--kind", "mnist", "--data", "absent", "--out", "a.safetensors");
        Assert.Equal(1, exitCode);
        Assert.Contains("absent", error, StringComparison.Ordinal);
    }

    private void Pictures(string folder, int count, int from)
    {
        for (var i = 0; i < count; i++)
        {
            var (width, height) = (20 + (5 * i), 30);
            ImageFile.Save(_app.At($"{folder}/{i}.png"), new PixelImage(width, height, 3, [.. Enumerable.Range(0, width * height * 3).Select(p => (byte)(from + ((p * (i + 7)) % 90)))]));
        }
    }
}
