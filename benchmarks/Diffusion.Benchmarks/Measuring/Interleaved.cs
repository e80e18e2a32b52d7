using System.Diagnostics;

namespace Diffusion.Benchmarks;

/// <summary>
/// Times actions in turn, round after round: what the machine does meanwhile meets all of them alike, so that quotients within a round can be trusted
/// where times cannot. The order rotates from round to round.
/// </summary>
internal static class Interleaved
{
    /// <summary>Times actions.</summary>
    /// <param name="actions">What is timed; each runs <paramref name="warmUps"/> times before.</param>
    /// <param name="warmUps">Rounds that are not counted.</param>
    /// <param name="least">Rounds that are run in any case.</param>
    /// <param name="budget">No round begins after this time, warm-up included, once there are <paramref name="least"/>.</param>
    /// <param name="most">The most rounds.</param>
    /// <returns>The seconds of each action, by round.</returns>
    public static IReadOnlyList<IReadOnlyList<double>> Seconds(IReadOnlyList<Action> actions, int warmUps, int least, TimeSpan budget, int most = 50)
    {
        var clock = Stopwatch.StartNew();
        var seconds = actions.Select(_ => new List<double>()).ToList();
        for (var round = -warmUps; round < most && (round < least || clock.Elapsed < budget); round++)
        {
            for (var i = 0; i < actions.Count; i++)
            {
                var action = (i + round + warmUps) % actions.Count;
                var start = Stopwatch.GetTimestamp();
                actions[action]();
                if (round >= 0)
                {
                    seconds[action].Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
                }
            }
        }

        return seconds;
    }

    /// <summary>Times one action.</summary>
    public static Samples Seconds(Action action, int warmUps, int least, TimeSpan budget, int most = 50) => new(Seconds([action], warmUps, least, budget, most)[0]);
}
