using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>
/// A small convolutional network that tells what grey 28×28 images show: 64 features, the last before the logits. It is trained and evaluated in float32 on the CPU. Two are part of the library:
/// <see cref="Digits"/> and <see cref="Textures"/>. For one thread at a time.
/// </summary>
public sealed class ImageClassifier : IImageClassifier
{
    private const int AtOnce = 250; // images in a call of the network

    private readonly ClassifierNetwork _network;

    private ImageClassifier(ClassifierNetwork network, string name, IReadOnlyList<string> classNames, IReadOnlyDictionary<string, string> about) =>
        (_network, Name, ClassNames, About) = (network, $"{name}-{ClassifierFile.Hash(network)}", classNames, about);

    /// <summary>What the classifier was called when it was trained, and a hash of its weights, such as <c>digits-0123abcd</c>: the same on every machine.</summary>
    public string Name { get; }

    /// <summary>64.</summary>
    public int Features => ClassifierNetwork.Features;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>What its file says of how it was made: seed, command, accuracy, processor. Empty for one that was just trained.</summary>
    public IReadOnlyDictionary<string, string> About { get; }

    /// <summary>The classifier of MNIST's digits, whose weights are in this assembly. It was trained on the first 55,000 training images.</summary>
    /// <returns>For the caller to dispose.</returns>
    public static ImageClassifier Digits() => OfEmbedded("digits");

    /// <summary>
    /// The classifier of the repository's three photographs of textures, whose weights are in this assembly: it tells from which of them a crop is. It was trained on crops of their top three quarters.
    /// </summary>
    /// <returns>For the caller to dispose.</returns>
    public static ImageClassifier Textures() => OfEmbedded("textures");

    /// <summary>Trains a network from the start. It runs on one of libtorch's threads, so that the same images and options give the same bits on the same machine.</summary>
    /// <param name="images">Grey 28×28 images in [−1, 1] with labels of at least two classes.</param>
    /// <param name="options">How; the defaults if <see langword="null"/>.</param>
    /// <param name="epochDone">Gets how many epochs are done, from 1 on, and the mean loss since it was called last, the cross-entropy in nats. Of fewer images than a batch a step has several epochs.</param>
    /// <returns>For the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The images have another shape, another range or no labels, or an option is outside its range.</exception>
    /// <exception cref="InvalidOperationException">The loss is no finite number.</exception>
    public static ImageClassifier Train(IImageSource images, ImageClassifierOptions? options = null, Action<int, double>? epochDone = null)
    {
        ArgumentNullException.ThrowIfNull(images);
        options ??= new ImageClassifierOptions();
        options.ThrowIfInvalid();
        ClassifierInput.CheckSource(images, nameof(images));
        string[] names = images.ClassNames.Count > 0 ? [.. images.ClassNames] : [.. Enumerable.Range(0, images.Classes).Select(label => FormattableString.Invariant($"{label}"))];
        using var weights = ClassifierTraining.Run(images, options, epochDone);
        return Of(new ClassifierContent(options.Name, names, new Dictionary<string, string>(), weights));
    }

    /// <summary>Reads a classifier that <see cref="Save"/> wrote.</summary>
    /// <param name="path">The file.</param>
    /// <returns>For the caller to dispose.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is something else, or damaged; the message names it.</exception>
    public static ImageClassifier Load(string path)
    {
        using var content = ClassifierFile.Read(path);
        try
        {
            return Of(content);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"'{path}' does not fit the network of a classifier with {content.ClassNames.Count} classes. {e.Message}", e);
        }
    }

    /// <summary>
    /// The classifier for images of another shape. They are made grey (ITU-R BT.601) and resized to 28×28 as Pillow resizes 8-bit images, bicubic and antialiased, whatever their aspect ratio; the name of the features ends with it,
    /// such as <c>classifier-0123abcd grey 28x28 PillowBicubicEightBit</c>.
    /// </summary>
    /// <param name="images">The shape of the images, with 1 or 3 channels.</param>
    /// <returns>For the caller to dispose, which disposes this, too; this itself where the images are grey and 28×28 already.</returns>
    /// <exception cref="ArgumentException">The images have another number of channels, or no pixels.</exception>
    public IImageClassifier ForImages(ImageShape images) =>
        images.Channels is not (1 or 3) || images.Height < 1 || images.Width < 1
            ? throw new ArgumentException($"Images of 1 or 3 channels and at least one pixel are needed; these are {images}.", nameof(images))
            : images == new ImageShape(1, ClassifierNetwork.Side, ClassifierNetwork.Side) ? this : new ConvertedClassifier(this, images);

    /// <summary>Writes the weights, the names of the classes and what is to be known about them as a safetensors file, whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="about">Text by key, such as the command and the accuracy; <see cref="About"/> if <see langword="null"/>.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path, IReadOnlyDictionary<string, string>? about = null) =>
        ClassifierFile.Write(path, _network, Name[..Name.LastIndexOf('-')], ClassNames, about ?? About);

    /// <summary>The features of a batch.</summary>
    /// <param name="images">[B, 1, 28, 28], uint8, 0 to 255.</param>
    /// <returns>[B, 64], float32, at least 0, on the CPU, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The images have another shape, or are not uint8.</exception>
    public Tensor Extract(Tensor images)
    {
        var (features, logits) = Classify(images);
        logits.Dispose();
        return features;
    }

    /// <inheritdoc/>
    public (Tensor Features, Tensor Logits) Classify(Tensor images)
    {
        ClassifierInput.CheckBytes(images, nameof(images));
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var parts = images.cpu().split(AtOnce).Select(part => _network.call(ClassifierInput.OfBytes(part))).ToList();
        var (features, logits) = (cat([.. parts.Select(part => part.Features)]), cat([.. parts.Select(part => part.Logits)]));
        return (features.MoveToOuterDisposeScope(), logits.MoveToOuterDisposeScope());
    }

    /// <summary>The share of images whose most probable class is their label, in [0, 1].</summary>
    /// <param name="images">Grey 28×28 images in [−1, 1] with labels. They are read as they are, in order, and rounded to bytes.</param>
    /// <returns>The share.</returns>
    /// <exception cref="ArgumentException">The images have another shape, another range, no labels, or other classes.</exception>
    public double Accuracy(IImageSource images)
    {
        ArgumentNullException.ThrowIfNull(images);
        ClassifierInput.CheckSource(images, nameof(images));
        if (images.Classes != ClassNames.Count)
        {
            throw new ArgumentException($"'{images.Name}' has {images.Classes} classes; the classifier {Name} has {ClassNames.Count}.", nameof(images));
        }

        var right = 0L;
        for (var first = 0; first < images.Count; first += AtOnce)
        {
            using var scope = NewDisposeScope();
            using var batch = Read(images, first, Math.Min(AtOnce, images.Count - first));
            var (_, logits) = Classify(EightBitImages.From(batch.Images));
            right += logits.argmax(1).eq(batch.Labels!).sum().item<long>();
        }

        return (double)right / images.Count;
    }

    /// <inheritdoc/>
    public void Dispose() => _network.Dispose();

    private static ImageBatch Read(IImageSource images, int first, int count)
    {
        lock (images) // batches may be read ahead from the same source
        {
            return images.Read([.. Enumerable.Range(first, count)]);
        }
    }

    private static ImageClassifier OfEmbedded(string name)
    {
        using var content = ClassifierFile.ReadEmbedded(name);
        return Of(content);
    }

    private static ImageClassifier Of(ClassifierContent content)
    {
        var network = new ClassifierNetwork(content.ClassNames.Count, seed: 0);
        try
        {
            Weights.Load(network, content.Weights);
            network.eval();
            return new ImageClassifier(network, content.Name, Array.AsReadOnly(content.ClassNames.ToArray()), content.About);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }
}
