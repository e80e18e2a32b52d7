using Diffusion.Imaging;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests;

/// <summary>Classifiers: those of the library, training, files.</summary>
public sealed class ImageClassifierTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static string Data => Path.Combine(Golden.Folder, "..", "..", "samples", "data");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Digits_OfTheTestImages_TellMoreThan993In1000()
    {
        using var digits = ImageClassifier.Digits();
        using var test = Mnist.Open(Path.Combine(Data, "mnist"), Split.Test);
        var accuracy = digits.Accuracy(test);

        Assert.True(accuracy >= 0.993, $"It is {accuracy}.");
        Assert.Equal(0.9952, accuracy, 3e-4); // three images, for other processors
        Assert.Equal("99.52 %", digits.About["accuracy on test images"]);
        Assert.Equal("digits-571698c2", digits.Name); // figures with another name cannot be compared with those published
        Assert.Equal(test.ClassNames, digits.ClassNames);
        Assert.Contains("classifier --kind mnist", digits.About["command"], StringComparison.Ordinal);
    }

    [Fact]
    public void Textures_OfTheTestImages_TellMost()
    {
        using var textures = ImageClassifier.Textures();
        using var test = TextureCrops.Open(Path.Combine(Data, "textures"), Split.Test, new TextureCropOptions { Count = 1_500 });
        var accuracy = textures.Accuracy(test);

        Assert.True(accuracy >= 0.97, $"It is {accuracy}.");
        Assert.Equal(["brick", "grass", "gravel"], textures.ClassNames);
        Assert.StartsWith("textures-", textures.Name, StringComparison.Ordinal);
    }

    /// <summary>Grey as folders of images are made grey, then resized as Pillow does it in 8 bits.</summary>
    [Theory]
    [InlineData(1, 40, 24)]
    [InlineData(3, 40, 24)]
    [InlineData(3, 28, 28)]
    [InlineData(3, 9, 9)]
    public void ForImages_OfAnotherShape_SeesThemGreyAndResized(int channels, int height, int width)
    {
        var random = new SeededRandom(6);
        var pixels = Enumerable.Range(0, 2).Select(_ => new PixelImage(width, height, channels, [.. Enumerable.Range(0, width * height * channels).Select(_ => (byte)random.Next(256))])).ToArray();
        using var scope = NewDisposeScope();
        var images = stack([.. pixels.Select(image => tensor(image.Pixels.ToArray()).view(height, width, channels).permute(2, 0, 1))]);
        var grey = stack([.. pixels.Select(image => tensor(image.WithChannels(1).Pixels.ToArray()).view(1, height, width))]);
        using var digits = ImageClassifier.Digits();
        using var converted = digits.ForImages(new ImageShape(channels, height, width));
        var (features, logits) = converted.Classify(images);
        var (expected, expectedLogits) = digits.Classify(ImageResize.To(grey, 28, 28, ImageResizing.PillowBicubicEightBit));

        TensorAssert.Identical(expected, features, "features");
        TensorAssert.Identical(expectedLogits, logits, "logits");
        TensorAssert.Identical(expected, converted.Extract(images), "features alone");
        Assert.Equal("digits-571698c2 grey 28x28 PillowBicubicEightBit", converted.Name);
        Assert.Equal((64, digits.ClassNames), (converted.Features, converted.ClassNames));
        Assert.Contains($"[B, {channels}, {height}, {width}]", Assert.Throws<ArgumentException>(() => converted.Extract(images.narrow(2, 0, 5))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => converted.Extract(images.to(ScalarType.Float32)));
    }

    [Fact]
    public void ForImages_OfItsOwnShape_IsItself()
    {
        using var digits = ImageClassifier.Digits();
        using var same = digits.ForImages(new ImageShape(1, 28, 28));
        Assert.Same(digits, same);
        Assert.Contains("2×28×28", Assert.Throws<ArgumentException>(() => digits.ForImages(new ImageShape(2, 28, 28))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Classify_ImagesOneByOneAndOnTwoThreads_GivesTheSameFeatures()
    {
        using var digits = ImageClassifier.Digits();
        using var images = Bytes(40);
        var (features, logits) = digits.Classify(images);
        var threads = get_num_threads();
        set_num_threads(threads == 1 ? 2 : 1);
        var (again, sameLogits) = digits.Classify(images);
        set_num_threads(threads);
        using var one = images.narrow(0, 7, 1);
        using var alone = digits.Extract(one);
        using var expected = features.narrow(0, 7, 1);

        Assert.Equal([40, 64], features.shape);
        Assert.Equal([40, 10], logits.shape);
        TensorAssert.Identical(features, again, "features on other threads");
        TensorAssert.Identical(logits, sameLogits, "logits on other threads");
        TensorAssert.Close(expected, alone, 1e-4, 1e-5, "features of an image alone");
        foreach (var tensor in new[] { features, logits, again, sameLogits })
        {
            tensor.Dispose();
        }
    }

    [Fact]
    public void Train_SameImagesAndOptions_GivesTheSameBitsOnAnyThreads()
    {
        using var images = Mnist.Open(Path.Combine(Data, "mnist"), Split.Train, limit: 200);
        var options = new ImageClassifierOptions { Name = "small", Epochs = 1, BatchSize = 40 };
        var losses = new List<(int, double)>();
        using var one = ImageClassifier.Train(images, options, (epoch, loss) => losses.Add((epoch, loss)));
        var threads = get_num_threads();
        set_num_threads(threads == 1 ? 2 : 1);
        using var same = ImageClassifier.Train(images, options);
        var after = get_num_threads();
        set_num_threads(threads);
        using var other = ImageClassifier.Train(images, options with { Seed = 1 });

        Assert.Equal(one.Name, same.Name); // a hash of the weights
        Assert.NotEqual(one.Name, other.Name);
        Assert.NotEqual(threads, after); // training puts back what it changes
        Assert.Equal(1, Assert.Single(losses).Item1);
        Assert.InRange(losses[0].Item2, 0.1, 10);
    }

    [Fact]
    public void Train_FewImagesOften_LearnsThem()
    {
        using var images = Mnist.Open(Path.Combine(Data, "mnist"), Split.Train, limit: 100);
        using var classifier = ImageClassifier.Train(images, new ImageClassifierOptions { Epochs = 30, BatchSize = 20, Distortion = 0 });
        Assert.True(classifier.Accuracy(images) > 0.95);
    }

    /// <summary>Five epochs of 10 images are two steps of 32: the first has three whole ones.</summary>
    [Fact]
    public void Train_FewerImagesThanABatch_TellsTheLastEpoch()
    {
        using var images = Mnist.Open(Path.Combine(Data, "mnist"), Split.Train, limit: 10);
        var told = new List<int>();
        using var classifier = ImageClassifier.Train(images, new ImageClassifierOptions { Epochs = 5, BatchSize = 32 }, (epoch, _) => told.Add(epoch));
        Assert.Equal([3, 5], told);
    }

    [Fact]
    public void Load_WhatWasSaved_GivesTheSame()
    {
        using var digits = ImageClassifier.Digits();
        digits.Save(_folder.File("copy.safetensors"));
        using var copy = ImageClassifier.Load(_folder.File("copy.safetensors"));
        using var images = Bytes(3);
        using var expected = digits.Extract(images);
        using var actual = copy.Extract(images);

        TensorAssert.Identical(expected, actual, "features");
        Assert.Equal(digits.Name, copy.Name);
        Assert.Equal(digits.ClassNames, copy.ClassNames);
        Assert.Equal(digits.About, copy.About);
    }

    [Fact]
    public void Load_FilesThatAreNoClassifier_AreRefusedByName()
    {
        using var digits = ImageClassifier.Digits();
        digits.Save(_folder.File("digits.safetensors"));
        using var weights = Safetensors.Load(_folder.File("digits.safetensors"));
        var metadata = new Dictionary<string, string>(Safetensors.ReadMetadata(_folder.File("digits.safetensors")));
        foreach (var (what, key, value) in new[] { ("other", "classifier", "another"), ("names", "classes", "[\"0\", null]"), ("few", "classes", "[\"0\", \"1\"]"), ("list", "classes", "0"), ("name", "name", "a b") })
        {
            var path = _folder.File($"{what}.safetensors");
            Safetensors.Save(path, weights, new Dictionary<string, string>(metadata) { [key] = value });
            Assert.Contains(path, Assert.Throws<InvalidDataException>(() => ImageClassifier.Load(path)).Message, StringComparison.Ordinal);
        }

        Assert.Throws<InvalidDataException>(() => ImageClassifier.Load(_folder.Write("text.safetensors", "no weights"u8)));
        Assert.Throws<FileNotFoundException>(() => ImageClassifier.Load(_folder.File("none.safetensors")));
        Assert.Throws<ArgumentException>(() => digits.Save(_folder.File("own.safetensors"), new Dictionary<string, string> { ["name"] = "mine" }));
    }

    [Fact]
    public void Classify_OtherImages_AreRefused()
    {
        using var digits = ImageClassifier.Digits();
        using var floats = zeros([2, 1, 28, 28], ScalarType.Float32);
        using var wide = zeros([2, 1, 28, 32], ScalarType.Byte);
        using var colour = zeros([2, 3, 28, 28], ScalarType.Byte);
        using var none = zeros([0, 1, 28, 28], ScalarType.Byte);
        foreach (var images in new[] { floats, wide, colour, none })
        {
            var error = Assert.Throws<ArgumentException>(() => digits.Classify(images));
            Assert.Contains("[B, 1, 28, 28]", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Train_ImagesThatDoNotFit_AreRefused()
    {
        using var colour = TextureCrops.Open(Path.Combine(Data, "textures"), Split.Train, new TextureCropOptions { Channels = 3, Count = 4 });
        using var large = TextureCrops.Open(Path.Combine(Data, "textures"), Split.Train, new TextureCropOptions { Size = 32, Count = 4 });
        using var images = Mnist.Open(Path.Combine(Data, "mnist"), Split.Train, limit: 10);
        using var textures = ImageClassifier.Textures();

        Assert.Contains("3×28×28", Assert.Throws<ArgumentException>(() => ImageClassifier.Train(colour)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ImageClassifier.Train(large));
        Assert.Throws<ArgumentException>(() => textures.Accuracy(images)); // 10 classes, not 3
        Assert.Throws<ArgumentException>(() => ImageClassifier.Train(images, new ImageClassifierOptions { Epochs = 0, Name = "a b" }));
    }

    [Fact]
    public void Classify_ManyTimes_KeepsNoTensors()
    {
        using var digits = ImageClassifier.Digits();
        using var images = Bytes(5);
        digits.Extract(images).Dispose();
        var before = LiveTensors.Settled();
        digits.Extract(images).Dispose();
        var (features, logits) = digits.Classify(images);
        features.Dispose();
        logits.Dispose();
        Assert.Equal(before, LiveTensors.Settled());
    }

    private static Tensor Bytes(int images)
    {
        using var source = Mnist.Open(Path.Combine(Data, "mnist"), Split.Test, limit: images);
        using var batch = source.Read([.. Enumerable.Range(0, images)]);
        return EightBitImages.From(batch.Images);
    }
}
