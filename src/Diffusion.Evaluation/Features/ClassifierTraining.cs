using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>
/// Trains a network: the library's order of images, AdamW and average of the weights, in float32. On one of libtorch's threads: sums of gradients depend on how many there are, and the weights would, too.
/// </summary>
internal static class ClassifierTraining
{
    private const double MaxDecay = 0.998; // of the average

    /// <summary>Trains.</summary>
    /// <param name="images">Grey 28×28 images with labels.</param>
    /// <param name="options">Valid ones.</param>
    /// <param name="epochDone">Gets how many epochs are done, and the mean loss since it was last called.</param>
    /// <returns>The averaged weights, for the caller to dispose.</returns>
    public static TensorDictionary Run(IImageSource images, ImageClassifierOptions options, Action<int, double>? epochDone)
    {
        var threads = get_num_threads();
        set_num_threads(1);
        try
        {
            return Train(images, options, epochDone);
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    private static TensorDictionary Train(IImageSource images, ImageClassifierOptions options, Action<int, double>? epochDone)
    {
        using var network = new ClassifierNetwork(images.Classes, options.Seed);
        using var parameters = new FlatParameters(network);
        using var optimizer = new AdamOptimizer(parameters.Values, new OptimizerOptions { Kind = OptimizerKind.AdamW, WeightDecay = options.WeightDecay }, parameters.Matrices());
        using var average = new EmaWeights(parameters.Values, new EmaOptions { Decay = MaxDecay });
        using var source = new DistortedImages(images, options.Distortion);
        var (steps, rate) = (Steps(images.Count, options), new LearningRateOptions { Shape = LearningRateShape.Cosine });
        using var loader = new BatchLoader(source, options.BatchSize, options.Seed, steps);
        var (sum, epochs, seen) = (0.0, 0, 0);
        for (var step = 1; step <= steps; step++)
        {
            sum += Gradients(network, parameters, loader, step);
            optimizer.Update(parameters.Values, parameters.Gradients, 0, options.LearningRate * rate.ShareAt(step, steps), step, [(average.Values, average.WeightAt(step - 1))]);
            seen++;
            var done = (int)Math.Min(options.Epochs, (long)step * options.BatchSize / images.Count);
            if (done > epochs) // of few images a step has several
            {
                epochDone?.Invoke(done, sum / seen);
                (sum, epochs, seen) = (0, done, 0);
            }
        }

        using var named = new TensorDictionary(parameters.Named(average.Values));
        return new TensorDictionary(named.Select(item => KeyValuePair.Create(item.Key, item.Value.clone())));
    }

    private static int Steps(int images, ImageClassifierOptions options) =>
        checked((int)((((long)images * options.Epochs) + options.BatchSize - 1) / options.BatchSize));

    /// <summary>Writes the gradients of a step and returns its loss.</summary>
    private static double Gradients(ClassifierNetwork network, FlatParameters parameters, BatchLoader loader, int step)
    {
        using var scope = NewDisposeScope();
        using (no_grad())
        {
            parameters.Gradients.zero_();
        }

        using var gradients = enable_grad();
        using var batch = loader.Read(step - 1);
        var labels = batch.Labels ?? throw new InvalidDataException("The images that were read have no labels, which a classifier learns from.");
        var loss = nn.functional.cross_entropy(network.call(ClassifierInput.OfFloats(batch.Images)).Logits, labels);
        loss.backward();
        return loss.item<float>() is var value && float.IsFinite(value)
            ? value
            : throw new InvalidOperationException(FormattableString.Invariant($"Step {step} diverged: its loss is {value}. A smaller learning rate may help."));
    }
}
