using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>How many steps of a sampler so many calls of the network allow: samplers call it once or more often a step.</summary>
internal static class CallCount
{
    /// <returns>The most steps that make at most <paramref name="calls"/> calls; <see langword="null"/> where the sampler takes no number of steps that does.</returns>
    public static int? Steps(Func<int, Sampler> create, INoiseSchedule schedule, int calls)
    {
        for (var steps = Math.Min(calls, schedule.Timesteps); steps > 0; steps--)
        {
            if (Of(create, steps, schedule) <= calls)
            {
                return steps;
            }
        }

        return null;
    }

    /// <summary>Counted in a run on one pixel; none where the sampler refuses the number of steps.</summary>
    private static long? Of(Func<int, Sampler> create, int steps, INoiseSchedule schedule)
    {
        try
        {
            var counter = new EvaluationCounter(new BlackImages(schedule));
            create(steps).Sample(counter, [1, 1, 1, 1], seed: 0).Dispose();
            return counter.Images;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Finds the same image in all noise.</summary>
    private sealed class BlackImages(INoiseSchedule schedule) : IDenoiser
    {
        public INoiseSchedule Schedule => schedule;

        public Device Device => CPU;

        public Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null) => new(full_like(noisy, -1));
    }
}
