using Diffusion.Imaging;
using Microsoft.Extensions.Options;

namespace Diffusion.Configuration.Tests;

public sealed class DataOptionsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_TexturesConfiguration_OpensBalancedTexturesAndTheirTestImages()
    {
        var options = RunConfiguration.Load(Path.Combine(Samples(), "configs", "textures.json"));
        using var images = options.Data.Open();
        using var validation = options.Data.OpenValidation()!;
        Assert.Equal((30_000, 3_000), (images.Count, validation.Count));
        Assert.Equal(options.NullLabel, images.Classes);
        Assert.Equal(options.Data.Shape, images.Shape);
        Assert.Equal((2, ImageOrder.ClassBalanced), (options.Training.Loader.Prefetch, options.Training.Loader.Order));
    }

    [Fact]
    public void Parse_EveryOptionOfData_BindsAndGoesBack()
    {
        const string json = """
            {
              "data": {
                "kind": "folder", "path": "images", "size": 32, "channels": 3, "codec": "imageSharp",
                "folder": { "labels": false, "skipCorrupt": true, "validationPath": "kept" },
                "augmentation": { "horizontalFlip": true, "verticalFlip": true, "quarterTurns": true, "cropFrom": 40, "smallestResizedCrop": 0.25 }
              },
              "model": { "down": [ { "channels": 32 } ] },
              "training": { "loader": { "prefetch": 5, "order": "classBalanced" } }
            }
            """;
        var options = RunConfiguration.Parse(json);
        Assert.Equal("imageSharp", options.Data.Codec);
        Assert.Equal(new FolderOptions { Labels = false, SkipCorrupt = true, ValidationPath = "kept" }, options.Data.Folder);
        Assert.Equal(
            new AugmentationOptions { HorizontalFlip = true, VerticalFlip = true, QuarterTurns = true, CropFrom = 40, SmallestResizedCrop = 0.25 },
            options.Data.Augmentation);
        Assert.Equal(new LoaderOptions { Prefetch = 5, Order = ImageOrder.ClassBalanced }, options.Training.Loader);
        Assert.Equal(options.Data, RunConfiguration.Parse(RunConfiguration.ToJson(options)).Data);

        File.WriteAllText(_folder.File("run.json"), json);
        var loaded = RunConfiguration.Load(_folder.File("run.json")).Data;
        Assert.Equal((_folder.File("images"), _folder.File("kept")), (loaded.Path, loaded.Folder.ValidationPath));
    }

    /// <summary>As files of other tools have them.</summary>
    [Fact]
    public void Parse_NullWhereThatIsTheDefault_IsAbsent()
    {
        const string json = """
            { "data": { "path": "x", "codec": null, "limit": null, "classNames": null, "folder": { "validationPath": null } }, "model": { "down": [ { "channels": 32 } ] }, "sampling": { "spacing": null, "steps": null } }
            """;
        var options = RunConfiguration.Parse(json);
        Assert.Equal((null, null, null, null), (options.Data.Codec, options.Data.Limit, options.Data.Folder.ValidationPath, options.Sampling.Spacing));
        Assert.Equal(["data.path must be a text; it is null."], Assert.Throws<OptionsValidationException>(() => RunConfiguration.Parse(json.Replace("\"x\"", "null", StringComparison.Ordinal))).Failures);
        Assert.Equal(["sampling.sampler must be a text; it is null."], Assert.Throws<OptionsValidationException>(() => RunConfiguration.Parse(json.Replace("\"steps\"", "\"sampler\"", StringComparison.Ordinal))).Failures);
    }

    [Theory]
    [InlineData(""" "kind": "folder", "folder": { "validationPath": " " } """, "data.folder.validationPath must be a folder, or absent; it is empty.")]
    [InlineData(""" "folder": { "skipCorrupt": true } """, "data.folder is for the kind folder; the kind is Mnist.")]
    [InlineData(""" "textures": { "seed": 4 } """, "data.textures is for the kind textures; the kind is Mnist.")]
    [InlineData(""" "kind": "textures", "textures": { "smallestCrop": 90, "largestCrop": 60 } """, "data.textures.largestCrop must be at least smallestCrop, 90; it is 60.")]
    [InlineData(""" "kind": "textures", "textures": { "validationCount": 0 } """, "data.textures.validationCount must be at least 1; it is 0.")]
    [InlineData(""" "kind": "textures", "limit": 4 """, "data.limit is for MNIST; it is 4 for textures.")]
    [InlineData(""" "augmentation": { "cropFrom": 40 } """, "data.augmentation.cropFrom is for the kind folder; the kind is Mnist.")]
    [InlineData(""" "kind": "folder", "augmentation": { "cropFrom": 20 } """, "data.augmentation.cropFrom must be at least size, 28; it is 20.")]
    [InlineData(""" "augmentation": { "smallestResizedCrop": 1.5 } """, "data.augmentation.smallestResizedCrop must be in [0.01, 1]; it is 1.5.")]
    [InlineData(""" "codec": "stb" """, "data.codec must be one of skia, imageSharp; it is 'stb'.")]
    [InlineData(""" "augmentation": { "flip": true } """, "data.augmentation.flip is not an option; there are horizontalFlip,")]
    public void Parse_WrongData_NamesThePath(string data, string expected)
    {
        var json = $$"""{ "data": { "path": "x", {{data}} }, "model": { "down": [ { "channels": 32 } ] } }""";
        Assert.StartsWith(expected, Assert.Throws<OptionsValidationException>(() => RunConfiguration.Parse(json)).Failures.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_WrongLoader_NamesThePath()
    {
        const string json = """{ "data": { "path": "x" }, "model": { "down": [ { "channels": 32 } ] }, "training": { "loader": { "prefetch": -2 } } }""";
        Assert.Equal("training.loader.prefetch must be in [0, 1024]; it is -2.", Assert.Throws<OptionsValidationException>(() => RunConfiguration.Parse(json)).Failures.Single());
    }

    [Fact]
    public void Open_FolderThatIsNotThere_NamesItAndItsKey()
    {
        var options = RunConfiguration.Load(Path.Combine(Samples(), "configs", "pictures.json")).Data;
        var message = Assert.Throws<DirectoryNotFoundException>(() => options.Open()).Message;
        Assert.Contains($"data.path: there is no folder '{Path.Combine(Samples(), "configs", "pictures")}'", message, StringComparison.Ordinal);

        Directory.CreateDirectory(_folder.File("here"));
        options = options with { Path = _folder.File("here"), Folder = new() { ValidationPath = _folder.File("kept") } };
        Assert.Contains($"data.folder.validationPath: there is no folder '{_folder.File("kept")}'", Assert.Throws<DirectoryNotFoundException>(() => options.OpenValidation()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OpenValidation_Mnist_IsTheTestSplitWhereItIsThere()
    {
        var options = new DataOptions { Path = Path.Combine(Samples(), "data", "mnist"), Limit = 10 };
        using var test = options.OpenValidation();
        Assert.Equal(10_000, test!.Count);
        Assert.Null((options with { Path = _folder.File("absent") }).OpenValidation());
    }

    [Fact]
    public void Open_FolderWithAugmentation_VariesWithTheSeedAndNotWithout()
    {
        Write("train/a/1.png", 60);
        Write("train/b/1.png", 60);
        Write("kept/a/2.png", 60);
        Write("kept/b/2.png", 60);
        var options = new DataOptions
        {
            Kind = DataKind.Folder,
            Path = _folder.File("train"),
            Size = 32,
            Folder = new FolderOptions { ValidationPath = _folder.File("kept") },
            Augmentation = new AugmentationOptions { CropFrom = 40, HorizontalFlip = true },
        };
        using var images = options.Open();
        using var validation = options.OpenValidation()!;
        Assert.Equal((options.Shape, options.Shape), (images.Shape, validation.Shape));
        Assert.Equal([0L, 1], validation.Labels!);
        using var drawn = images.Read([0, 0, 0, 0], [1, 2, 3, 4]);
        Assert.Equal(4, Enumerable.Range(0, 4).Select(i => Convert.ToHexString(drawn.Images[i].bytes)).Distinct().Count());
        using var plain = validation.Read([0, 0], [1, 2]);
        TensorAssert.Identical(plain.Images[0], plain.Images[1], "validation images do not vary");
        using var read = images.Read([0]);
        TensorAssert.Identical(read.Images[0], plain.Images[0], "the same file, from the middle");
    }

    [Theory]
    [InlineData(DataKind.Folder)]
    [InlineData(DataKind.Textures)]
    public void Open_CodecThatIsToBePassed_TakesItOrSaysSo(DataKind kind)
    {
        Write("photographs/1.png", 80);
        var options = new DataOptions { Kind = kind, Path = _folder.File("photographs"), Codec = "imageSharp", Textures = kind == DataKind.Textures ? new() { SmallestCrop = 10, LargestCrop = 15 } : new() };
        Assert.Contains("Diffusion.Imaging.ImageSharp", Assert.Throws<InvalidOperationException>(() => options.Open()).Message, StringComparison.Ordinal);
        using var passed = options.Open(ImageFile.DefaultCodec);
        using var named = (options with { Codec = "Skia" }).Open();
        Assert.Equal(passed.Count, named.Count);
        Assert.DoesNotContain("codec", RunConfiguration.ToJson(new RunOptions()), StringComparison.Ordinal); // an older version knows no such key
    }

    [Fact]
    public void OpenValidation_ResizedCrops_ShowsAllOfTheImage()
    {
        Write("train/1.png", 60);
        Write("kept/1.png", 60);
        var options = new DataOptions
        {
            Kind = DataKind.Folder,
            Path = _folder.File("train"),
            Size = 16,
            Folder = new FolderOptions { ValidationPath = _folder.File("kept") },
            Augmentation = new AugmentationOptions { CropFrom = 48, SmallestResizedCrop = 0.5 },
        };
        using var validation = options.OpenValidation()!;
        using var batch = validation.Read([0, 0], [1, 2]);
        TensorAssert.Identical(batch.Images[0], batch.Images[1], "validation images do not vary");
        using var whole = (options with { Augmentation = new() }).OpenValidation()!;
        using var expected = whole.Read([0]);
        Assert.True((expected.Images[0] - batch.Images[0]).abs().mean().item<float>() < 0.05, "resized, not cut from the middle");
    }

    [Fact]
    public void OpenValidation_FolderOfOtherClasses_NamesBoth()
    {
        Write("train/a/1.png", 30);
        Write("train/b/1.png", 30);
        Write("kept/b/2.png", 30);
        var options = new DataOptions { Kind = DataKind.Folder, Path = _folder.File("train") };
        Assert.Null(options.OpenValidation());
        var other = options with { Folder = new FolderOptions { ValidationPath = _folder.File("kept") } };
        var message = Assert.Throws<InvalidDataException>(() => other.OpenValidation()).Message;
        Assert.Contains("[b]", message, StringComparison.Ordinal);
        Assert.Contains("[a, b]", message, StringComparison.Ordinal);
    }

    private void Write(string name, int size)
    {
        var pixels = new byte[size * size];
        new Random(5).NextBytes(pixels);
        ImageFile.Save(_folder.File(name), new PixelImage(size, size, 1, pixels));
    }

    private static string Samples() => Path.GetFullPath(Path.Combine(Golden.Folder, "..", "..", "samples"));
}
