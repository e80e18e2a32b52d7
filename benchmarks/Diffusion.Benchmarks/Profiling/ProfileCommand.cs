using Diffusion.Models;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary><c>profile [--bf16] [--quick]</c>: where a train step and a reverse step of the reference network spend their time, by block and by kind of operator.</summary>
internal static class ProfileCommand
{
    private const string How = """
        How the numbers were obtained: libtorch's profiler has no binding in TorchSharp. "In place" is the time between a forward hook before and one after each part of the running network.
        "Alone" is the same part run again by itself on inputs of the same shapes and order in memory, forward and then backward to its inputs and weights; parts of the same kind and shapes are run once and counted as
        often as they occur. Operators that are no layer are run at the shapes that the plan of the network says; what a block does as one operation is one row. Medians of a few runs after one to warm up. Alone a part finds its memory in another
        state than within the step: the sum differs from the whole, and both are printed.
        """;

    public static int Run(Arguments arguments)
    {
        var (quick, format) = (arguments.Flag("--quick"), arguments.Flag("--bf16") ? NumberFormat.Bf16 : NumberFormat.Fp32);
        arguments.End();
        var (size, repeats) = (ReferenceSize.Of(quick), quick ? 1 : 3);
        Console.WriteLine($"{Machine.Line}\n\n{How}");
        using var networks = new ReferencePair(size.Network, size.Image);
        TrainStep(networks, size, repeats, format);
        ReverseStep(networks, size, repeats, format);
        return 0;
    }

    private static void TrainStep(ReferencePair networks, ReferenceSize size, int repeats, NumberFormat format)
    {
        using var images = new RandomImages(networks.Image, size.TrainBatch);
        var profile = NetworkProfile.Of(networks.Ours, images.All, backward: true, repeats, format);
        double whole;
        using (var training = OwnTraining.Start(networks.Ours, images, format, gradientClip: 1)!)
        {
            whole = Seconds(training.Step, repeats);
        }

        using var copy = UNetBuilder.From(networks.Ours.Options).Build();
        using var update = new OwnUpdate(copy, gradientClip: 1);
        var forwardProcess = Seconds(() => Draw(images.All), repeats);
        Print($"A train step of {size.Name}", format, networks, size.TrainBatch, profile, whole, [("update of the weights: clipping, Adam, average", Seconds(update.Run, repeats)), ("noise, noisy images, loss", forwardProcess)]);
    }

    private static void ReverseStep(ReferencePair networks, ReferenceSize size, int repeats, NumberFormat format)
    {
        using var images = new RandomImages(networks.Image, size.SampleBatch);
        var profile = NetworkProfile.Of(networks.Ours, images.All, backward: false, repeats, format);
        using var sampling = new OwnSampling(new DdpmSampler(), NumberFormats.Sampling(networks.Ours, new LinearNoiseSchedule(), format)!, images.All.shape);
        var schedule = new LinearNoiseSchedule();
        var arithmetic = Seconds(() => schedule.Reverse(images.All, images.All, 500, images.All).Dispose(), repeats);
        Print($"A reverse step of {size.Name}", format, networks, size.SampleBatch, profile, Seconds(sampling.Step, repeats), [("x̂₀, clipping, posterior", arithmetic)]);
    }

    private static void Draw(Tensor images)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        var noise = randn(images.shape, ScalarType.Float32, generator: generator);
        var noisy = new LinearNoiseSchedule().AddNoise(images, noise, [.. Enumerable.Range(0, (int)images.shape[0]).Select(i => (long)i)]);
        nn.functional.mse_loss(noisy, noise);
    }

    private static void Print(string title, NumberFormat format, ReferencePair networks, int batch, NetworkProfile profile, double whole, IReadOnlyList<(string What, double Seconds)> rest) =>
        Console.WriteLine($"\n## {title}, {networks.Image}, batch of {batch}, {format.Short()}\n\n{ProfileTable.Of(profile, UNetSummary.Of(networks.Ours.Options), batch, whole, rest)}");

    private static double Seconds(Action action, int repeats) => Interleaved.Seconds(action, 2, repeats, TimeSpan.Zero).Median;
}
