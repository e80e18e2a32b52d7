using Diffusion.Imaging;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using static TorchSharp.torch;

namespace Diffusion.Configuration.Tests;

/// <summary>Which label of a run is which class.</summary>
public sealed class ClassNameTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void ForImages_Folder_NotesTheNamesAndGoesBack()
    {
        Write("10", "2", "Ä");
        var run = Run(3);
        using var images = run.Data.Open();
        var noted = run.ForImages(images);
        Assert.Equal(["10", "2", "Ä"], noted.Data.ClassNames);
        Assert.Null(run.Data.ClassNames);
        var again = RunConfiguration.Parse(RunConfiguration.ToJson(noted));
        Assert.Equal(["10", "2", "Ä"], again.Data.ClassNames);
        Assert.Equal(["10", "2", "Ä"], again.ForImages(images).Data.ClassNames);
        Assert.DoesNotContain("classNames", RunConfiguration.ToJson(run), StringComparison.Ordinal);
    }

    [Fact]
    public void CreateTrainer_OtherClasses_NamesBothLists()
    {
        Write("b", "c", "z");
        var run = Run(3, "a", "b", "c");
        using var images = run.Data.Open();
        using var network = run.CreateNetwork();
        var message = Assert.Throws<OptionsValidationException>(() => run.CreateTrainer(network, images)).Message;
        Assert.Contains("data.classNames must be the classes of the images, by label: they are [a, b, c], and", message, StringComparison.Ordinal);
        Assert.Contains("has [b, c, z]", message, StringComparison.Ordinal);
        Assert.Throws<OptionsValidationException>(() => run.ForImages(images));
        using var trainer = (run with { Data = run.Data with { ClassNames = null } }).CreateTrainer(network, images);
        Assert.Equal(0, trainer.StepsDone);
    }

    [Fact]
    public void CreateTrainer_OtherNumberOfClasses_SaysTheRightOne()
    {
        Write("b", "c", "z");
        var run = Run(4);
        using var images = run.Data.Open();
        using var network = run.CreateNetwork();
        Assert.Contains("model.dialect.labels.classes must be 4, the 3 classes of", Assert.Throws<OptionsValidationException>(() => run.CreateTrainer(network, images)).Message, StringComparison.Ordinal);
    }

    /// <summary>A source of one's own need not have names: a configuration may.</summary>
    [Fact]
    public void ForImages_SourceWithoutNames_KeepsThoseOfTheConfiguration()
    {
        using var images = new Unnamed();
        Assert.Equal(["x", "y", "z"], Run(3, "x", "y", "z").ForImages(images).Data.ClassNames);
        Assert.Null(Run(3).ForImages(images).Data.ClassNames);
        Assert.Contains("has 3 classes", Assert.Throws<OptionsValidationException>(() => Run(2, "x", "y").ForImages(images)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2", 4)] // the name, although there is a label 2
    [InlineData("10", 2)]
    [InlineData("cat", 5)]
    [InlineData("05", 5)] // no name
    [InlineData("5", 5)]
    [InlineData("+6", 6)]
    public void LabelOf_NameFirst_ThenNumber(string name, long expected) => Assert.Equal(expected, Run(7, "0", "1", "10", "11", "2", "cat", "dog").LabelOf(name));

    [Theory]
    [InlineData("Cat", "label 'Cat' is no class; upper and lower case are different, and there is 'cat'.")]
    [InlineData("bird", "label 'bird' is no class, and no number in [0, 3]. The classes are [cat, dog, a, a].")]
    [InlineData("4", "label must be in [0, 3], or the name of a class; it is 4. The classes are [cat, dog, a, a].")]
    [InlineData("-1", "label must be in [0, 3], or the name of a class; it is -1.")]
    [InlineData("a", "label 'a' is the name of several classes: give one of the numbers 2, 3.")]
    [InlineData("1,5", "label '1,5' is no class, and no number in [0, 3].")]
    [InlineData("", "label '' is no class, and no number in [0, 3].")]
    public void LabelOf_NoClass_SaysWhichThereAre(string name, string expected) =>
        Assert.StartsWith(expected, Assert.Throws<ArgumentException>(() => Run(4, "cat", "dog", "a", "a").LabelOf(name)).Message, StringComparison.Ordinal);

    [Fact]
    public void LabelOf_NamesNotKnown_TakesNumbersOnly()
    {
        Assert.Equal(2, Run(3).LabelOf("2"));
        Assert.Equal("label must be in [0, 2]; it is 3.", Assert.Throws<ArgumentException>(() => Run(3).LabelOf("3")).Message);
        Assert.Equal("label must be a number in [0, 2], for the names of the classes are not known; it is 'cat'.", Assert.Throws<ArgumentException>(() => Run(3).LabelOf("cat")).Message);
        Assert.Contains("needs a class-conditional network", Assert.Throws<ArgumentException>(() => Run(0).LabelOf("2")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_NotOneNameForEachClass_NamesThePath()
    {
        var json = RunConfiguration.ToJson(Run(3, "a", "b"));
        Assert.Equal(
            "data.classNames must be a name for each of the 3 classes of the network; they are 2.", Assert.Throws<OptionsValidationException>(() => RunConfiguration.Parse(json)).Failures.Single());
        Assert.Empty(Run(0, "a", "b").Validate()); // a network without labels on images that have classes
    }

    [Fact]
    public void AddDiffusion_Folder_StoresTheNamesWithTheWeights()
    {
        Write("cats", "dogs");
        var json = RunConfiguration.ToJson(Run(2));
        using var stream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json));
        using var provider = new ServiceCollection().AddDiffusion(new ConfigurationBuilder().AddJsonStream(stream).Build(), checkpoints: _folder.File("checkpoints")).BuildServiceProvider();
        provider.GetRequiredService<Trainer>().Fit(provider.GetRequiredService<IImageSource>());
        var checkpoint = Checkpoint.Newest(_folder.File("checkpoints"))!;
        Assert.Equal(["cats", "dogs"], checkpoint.ClassNames);
        var metadata = Safetensors.ReadMetadata(Path.Combine(checkpoint.Folder, Checkpoint.EmaFile))[RunConfiguration.MetadataKey];
        Assert.Equal(["cats", "dogs"], RunConfiguration.Parse(metadata).Data.ClassNames);
    }

    public void Dispose() => _folder.Dispose();

    private void Write(params string[] classes) => Array.ForEach(classes, name => ImageFile.Save(_folder.File($"images/{name}/1.png"), new PixelImage(4, 4, 1, new byte[16])));

    /// <summary>Of a network with so many classes and one more, for no label; 0 for one without labels.</summary>
    private RunOptions Run(int classes, params string[] names) => new()
    {
        Data = new DataOptions { Kind = DataKind.Folder, Path = _folder.File("images"), Size = 8, ClassNames = names.Length == 0 ? null : names },
        Model = new()
        {
            StemChannels = 8, Down = [new() { Channels = 8, Layers = 1 }], TimeDimension = 16, Dialect = new() { Labels = classes == 0 ? null : new() { Classes = classes + 1 } },
        },
        Training = new TrainerOptions { Steps = 1, BatchSize = 2 },
    };

    private sealed class Unnamed : IImageSource
    {
        public string Name => "unnamed";

        public int Count => 3;

        public ImageShape Shape => new(1, 8, 8);

        public int Classes => 3;

        public ImageBatch Read(ReadOnlySpan<int> indices) => new(zeros(Shape.Batch(indices.Length)), zeros(indices.Length, dtype: ScalarType.Int64));

        public void Dispose()
        {
        }
    }
}
