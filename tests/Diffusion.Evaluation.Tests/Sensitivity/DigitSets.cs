using Diffusion.Imaging;
using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests.Sensitivity;

/// <summary>Test images of MNIST, and the figures of sets with one fault each.</summary>
public sealed class DigitSets : IDisposable
{
    private const int Count = 1000;

    private readonly Dictionary<string, SetFigures> _figures = [];
    private readonly SensitivitySets _sets;
    private readonly Lazy<MeasuredSet> _reference;
    private readonly Lazy<FeatureStatistics> _odd;

    public DigitSets()
    {
        using var source = Mnist.Open(Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(Golden.Folder))!, "samples", "data", "mnist"), Split.Test);
        using var batch = source.Read([.. Enumerable.Range(0, source.Count)]);
        Images = EightBitImages.From(batch.Images).DetachFromDisposeScope();
        Labels = [.. source.Labels];
        _sets = new SensitivitySets(Images, Labels, Count);
        _reference = new Lazy<MeasuredSet>(() => Measured(_sets.Reference()));
        _odd = new Lazy<FeatureStatistics>(OfOddImages);
    }

    /// <summary>All test images, [10000, 1, 28, 28], uint8.</summary>
    public Tensor Images { get; }

    public IReadOnlyList<long> Labels { get; }

    public ImageClassifier Classifier { get; } = ImageClassifier.Digits();

    /// <summary>The features of every second test image, from the second on: 5,000.</summary>
    public FeatureStatistics OddImages => _odd.Value;

    /// <summary>The figures of a set.</summary>
    public SetFigures this[string name]
    {
        get
        {
            if (!_figures.TryGetValue(name, out var figures))
            {
                using var set = Measured(_sets.Create(name));
                _figures[name] = figures = SetFigures.Of(set, _reference.Value);
            }

            return figures;
        }
    }

    /// <summary>Every second test image, from the one that is given on.</summary>
    public Tensor Every(int second, int count)
    {
        using var index = arange(second, second + (2L * count), 2, ScalarType.Int64);
        return Images.index_select(0, index);
    }

    public void Dispose()
    {
        if (_odd.IsValueCreated)
        {
            _odd.Value.Dispose();
        }

        if (_reference.IsValueCreated)
        {
            _reference.Value.Dispose();
        }

        Classifier.Dispose();
        Images.Dispose();
    }

    private FeatureStatistics OfOddImages()
    {
        using var images = Every(second: 1, 5000);
        using var features = Classifier.Extract(images);
        return FeatureStatistics.Of(features, "every second test image");
    }

    private MeasuredSet Measured((Tensor Images, IReadOnlyList<long> Labels) set)
    {
        using (set.Images)
        {
            return new MeasuredSet(Classifier, set.Images, set.Labels);
        }
    }
}
