using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Recorded runs of diffusers' RePaintScheduler (huggingface/diffusers, commit 58eb52c); docs/parity.md says where it is off.</summary>
public sealed class RePaintTests
{
    private const int Clean = -1;

    private static readonly LinearNoiseSchedule s_schedule = new();

    public static TheoryData<string, int, int, double> Runs() => new() { { "repaint_20_j4_n2_eta1", 20, 4, 1 }, { "repaint_50_j3_n2", 50, 3, 0 } };

    [Theory]
    [MemberData(nameof(Runs))]
    public void Levels_RecordedRun_AreTheRecordedOnes(string name, int steps, int jumpLength, double eta)
    {
        using var golden = Golden.Case("diffusers_schedulers/" + name);
        using var images = zeros(1, 1, 4, 4);
        var levels = new InpaintingSampler(new DdimSampler(steps, new() { Spacing = StepSpacing.Leading, Eta = eta }), images, images, jumpLength, 2).Levels(s_schedule);
        var moves = Moves(golden, steps);
        Assert.Equal(moves.Select(move => (double)move.From).Append(Clean), levels.Select(level => level.Timestep));
        Assert.Equal(moves.Select(move => (double)move.To).Prepend(moves[0].From), levels.Select(level => level.Timestep));
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Step_RecordedRun_EachStepIsTheRecordedOne(string name, int steps, int jumpLength, double eta)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case("diffusers_schedulers/" + name);
        var moves = Moves(golden, steps);
        var draws = Draws(golden, moves.Count);
        Assert.Equal(steps + (jumpLength * Jumps(steps, jumpLength)), moves.Count(move => !move.Up));
        for (var i = 0; i < moves.Count; i++)
        {
            if (moves[i].Up)
            {
                continue;
            }

            var inner = new DdimSampler(null, new() { Spacing = StepSpacing.Through([Level(moves[i].From), Level(moves[i].To)]), Eta = eta, RederiveNoise = false });
            var sampler = new InpaintingSampler(inner, golden["original"], golden["mask"], resamples: 1);
            var replay = new ReplayDenoiser(s_schedule, Parameterization.Epsilon, golden["model_outputs"].narrow(0, i, 1));
            using var noise = new SameNoise(draws[i].Single());
            var result = sampler.Continue(replay.Limited(ImageLimit.Clip()), Before(golden, i), noise);
            TensorAssert.Close(golden["samples"][i], result, golden.AbsoluteTolerance, golden.RelativeTolerance, $"{name}: iteration {i}");
        }
    }

    /// <summary>The peer's way up from t − stride to t takes the βs from t on, stride − 1 too late.</summary>
    [Theory]
    [MemberData(nameof(Runs))]
    public void Step_Upwards_IsTheForwardProcessAndThePeersIsAStrideLate(string name, int steps, int jumpLength, double eta)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case("diffusers_schedulers/" + name);
        var moves = Moves(golden, steps);
        var draws = Draws(golden, moves.Count);
        var sampler = new InpaintingSampler(new DdimSampler(steps, new() { Spacing = StepSpacing.Leading, Eta = eta }), golden["original"], golden["mask"], jumpLength, 2);
        for (var i = 0; i < moves.Count; i++)
        {
            if (!moves[i].Up)
            {
                continue;
            }

            // What the peer did: its β from t on.
            var (from, to) = (Level(moves[i].From), Level(moves[i].To));
            var x = Before(golden, i);
            var kept = 1.0;
            for (var j = 0; j < draws[i].Length; j++)
            {
                var beta = Beta(moves[i].To + j);
                x = (x * Math.Sqrt(1 - beta)) + (draws[i][j] * Math.Sqrt(beta));
                kept *= 1 - beta;
            }

            TensorAssert.Close(golden["samples"][i], x, golden.AbsoluteTolerance, golden.RelativeTolerance, $"{name}: iteration {i}");

            // What is right: images that are α·x₀ + σ·ε before are so after, with the α and σ of the level reached.
            var share = Upwards(sampler, i, x: 1, noise: 0);
            var added = Upwards(sampler, i, x: 0, noise: 1);
            Assert.Equal(to.Alpha, share * from.Alpha, 6);
            Assert.Equal(to.Sigma * to.Sigma, (share * share * from.Sigma * from.Sigma) + (added * added), 6);
            Assert.True(Math.Sqrt(kept) * from.Alpha < to.Alpha * 0.999, $"{name}: iteration {i}: the peer's weight of the image is {Math.Sqrt(kept) * from.Alpha}, the level's {to.Alpha}");
        }
    }

    /// <summary>What a move of the sampler makes of an image that is x everywhere, with noise that is the given number everywhere.</summary>
    private static double Upwards(InpaintingSampler sampler, int index, double x, double noise)
    {
        using var scope = NewDisposeScope();
        using var source = new SameNoise(full([1, 1, 1, 1], noise, ScalarType.Float64));
        var levels = sampler.Levels(s_schedule);
        var pair = new DdimSampler(null, new() { Spacing = StepSpacing.Through([levels[index], levels[index + 1]]) });
        return pair.Continue(new FixedDenoiser(zeros(1, 1, 1, 1)), full([1, 1, 1, 1], x, ScalarType.Float64), source).item<double>();
    }

    /// <summary>The moves of the peer's loop between timesteps: "step" goes from t to a stride below it; "undo" at t goes up to the timestep listed before.</summary>
    private static List<(int From, int To, bool Up)> Moves(GoldenCase golden, int steps)
    {
        var stride = s_schedule.Timesteps / steps;
        var timesteps = golden["timesteps"].data<long>().ToArray();
        var undone = golden["op"].data<long>().ToArray();
        int Below(long timestep) => timestep >= stride ? (int)timestep - stride : Clean;
        return [.. timesteps.Select((t, i) => undone[i] == 0 ? ((int)t, Below(t), false) : (Below(timesteps[i - 1]), (int)timesteps[i - 1], true))];
    }

    private static Tensor[][] Draws(GoldenCase golden, int iterations)
    {
        var of = golden["noise_step"].data<long>().ToArray();
        var draws = Enumerable.Range(0, of.Length).ToLookup(j => of[j], j => golden["noise"][j]);
        return [.. Enumerable.Range(0, iterations).Select(i => draws[i].ToArray())];
    }

    private static Tensor Before(GoldenCase golden, int iteration) => iteration == 0 ? golden["x_init"] : golden["samples"][iteration - 1];

    private static int Jumps(int steps, int jumpLength) => (steps - jumpLength + jumpLength - 1) / jumpLength;

    private static NoiseLevel Level(int timestep) => timestep == Clean ? NoiseLevel.Clean : s_schedule.LevelAt(timestep);

    private static double Beta(int timestep)
    {
        double AlphaBar(int t) => t < 0 ? 1 : Math.Pow(s_schedule.LevelAt(t).Alpha, 2);
        return 1 - (AlphaBar(timestep) / AlphaBar(timestep - 1));
    }
}
