using System.Globalization;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Does one training step: gradients of a batch, in parts that fit into memory, then the update, unless something in it is not finite.</summary>
internal sealed class StepRunner(nn.Module network, TrainingLoss loss, TrainerState state, TrainerOptions options)
{
    /// <summary>Changes the weights, their averages and the number of steps done.</summary>
    /// <param name="batch">The images.</param>
    /// <param name="learningRate">The learning rate.</param>
    /// <returns>What was done, without times.</returns>
    /// <exception cref="InvalidOperationException">The loss or a gradient is not finite too often, or memory is full; nothing was changed.</exception>
    public TrainingStep Run(ImageBatch batch, double learningRate)
    {
        var (measured, draw) = Measure(batch);
        var step = measured with { LearningRate = learningRate };
        var finite = double.IsFinite(step.Loss) && double.IsFinite(step.GradientNorm);
        if (finite)
        {
            state.Update(learningRate, step.GradientNorm);
            loss.Draws.Remember(draw, step.ImageLosses);
        }
        else if (state.SkippedInARow >= options.Optimizer.SkipNotFinite)
        {
            var before = state.SkippedInARow > 0 ? $", after {state.SkippedInARow} skipped steps" : "";
            throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture,
                $"Step {step.Number} diverged: its loss is {step.Loss} and the norm of its gradients {step.GradientNorm}, at learning rate {learningRate}{before}. The weights are those before this step. A smaller learning rate, a longer warm-up or clipping of gradients may help."));
        }

        state.Advance(skipped: !finite);
        return step with { Skipped = !finite };
    }

    private (TrainingStep Step, TrainingDraw Draw) Measure(ImageBatch batch)
    {
        BackwardPass.Failure = null;
        try
        {
            using var gradients = enable_grad();
            using var scope = NewDisposeScope();
            return Backward(batch);
        }
        catch (ExternalException e) when (OutOfMemory(e))
        {
            throw new InvalidOperationException(
                $"Step {state.Step + 1} does not fit into memory: {options.MicroBatchSize ?? options.BatchSize} images at once. A smaller {nameof(TrainerOptions.MicroBatchSize)} takes less and trains the same.", e);
        }
        catch (ExternalException) when (BackwardPass.Failure is { } failure)
        {
            throw new InvalidOperationException($"The backward pass of step {state.Step + 1} failed: {failure.Message}", failure);
        }
    }

    private (TrainingStep Step, TrainingDraw Draw) Backward(ImageBatch batch)
    {
        using var generator = new Generator(SeedMixer.Mix(options.Seed, SeedMixer.Purpose.TrainingStep, state.Step), CPU);
        random.manual_seed(unchecked((long)SeedMixer.Mix(options.Seed, SeedMixer.Purpose.NetworkStep, state.Step))); // what layers of others draw
        state.Parameters.ZeroGradients();
        network.train();
        var draw = loss.Draws.Draw(batch.Images.shape, generator);
        var count = (int)batch.Images.shape[0];
        var parts = Parts(count, Math.Min(options.MicroBatchSize ?? count, count));
        var results = parts.SelectMany(part => Backward(batch, draw, part.First, part.Count)).ToList();

        // One transfer, the only time a step waits for the device: mean and losses of each part, then the norm.
        var numbers = cat([.. results, state.Parameters.GradientNorm()]).to(ScalarType.Float64).cpu().data<double>().ToArray();
        var (mean, losses, at) = (0.0, new List<double>(count), 0);
        foreach (var part in parts)
        {
            mean += numbers[at] * part.Count / count;
            losses.AddRange(numbers.AsSpan(at + 1, part.Count));
            at += 1 + part.Count;
        }

        return (new TrainingStep(state.Step + 1, mean, count, 0, default) { GradientNorm = numbers[at], ImageLosses = losses, Levels = draw.Timesteps.Levels }, draw);
    }

    private static List<(int First, int Count)> Parts(int count, int size) =>
        [.. Enumerable.Range(0, (count + size - 1) / size).Select(part => (part * size, Math.Min(size, count - (part * size))))];

    /// <summary>Adds the gradients of a part of a batch, weighed by its share of the images.</summary>
    /// <returns>The mean loss [1] and the losses of the images [n].</returns>
    private Tensor[] Backward(ImageBatch batch, TrainingDraw draw, int first, int count)
    {
        using var scope = NewDisposeScope();
        using var precision = MixedPrecision.Use(options.Precision);
        using var once = BackwardPass.ExpectOne();
        using var seeds = LayerSeeds.OfStep(SeedMixer.Mix(options.Seed, SeedMixer.Purpose.NetworkStep, state.Step), first);
        var whole = count == batch.Images.shape[0];
        var part = batch.Part(first, count).Select(tensor => tensor.to(state.Parameters.Device));
        var (mean, samples) = loss.Evaluate(part, whole ? draw : draw.Part(first, count));
        using var share = ((double)count / batch.Images.shape[0]).ToScalar();
        (whole ? mean : mean * share).backward();
        return [mean.detach().view(1).MoveToOuterDisposeScope(), samples.MoveToOuterDisposeScope()];
    }

    /// <summary>What libtorch says on GPUs, on Linux and macOS, and on Windows.</summary>
    private static bool OutOfMemory(ExternalException e) =>
        ((string[])["out of memory", "can't allocate memory", "not enough memory"]).Any(words => Cause(e).Contains(words, StringComparison.OrdinalIgnoreCase));

    private static string Cause(ExternalException e) => (BackwardPass.Failure ?? e).Message;
}
