using System.Text.Json;
using System.Text.Json.Nodes;

namespace Diffusion.Models;

/// <summary>
/// The noise schedule that a network was trained with here, in Float64: diffusers keeps its tables in Float32, so that a scheduler_config.json alone would change the last digits of what a network draws.
/// </summary>
internal sealed class ExactTable
{
    private const string Precision = "precision";
    private const string Float64 = "float64";
    private const string AlphaBars = "alphas_cumprod";

    // A product of βs that were derived from ᾱ may round otherwise in single precision now and then.
    private const double Rounding = 1e-6;

    private readonly double[]? _alphaBars;

    private ExactTable(double[]? alphaBars) => _alphaBars = alphaBars;

    /// <summary>The note for a table, and the keys of a scheduler_config.json that describe it.</summary>
    /// <exception cref="ArgumentException">It cannot be described so; the message says why.</exception>
    public static (ExactTable Note, JsonObject Keys) Of(INoiseSchedule schedule)
    {
        var table = schedule as TabulatedNoiseSchedule ?? Table(schedule);
        JsonObject[] candidates =
        [
            Keys(table, "linear", table.Betas[0], table.Betas[^1]), Keys(table, "scaled_linear", table.Betas[0], table.Betas[^1]), Keys(table, "squaredcos_cap_v2", 1e-4, 0.02),
            Keys(table, "linear", 1e-4, 0.02, table.Betas),
        ];
        var keys = candidates.FirstOrDefault(candidate => InDouble(JsonSerializer.SerializeToElement(candidate)) is { } made && made.AlphaBars.SequenceEqual(table.AlphaBars));
        return keys is not null ? (new ExactTable(null), keys) : (new ExactTable([.. table.AlphaBars]), candidates[^1]);
    }

    /// <exception cref="InvalidDataException">It is no such note; the message is the reason.</exception>
    public static ExactTable Read(JsonElement note)
    {
        if (note.TryGetProperty(Precision, out var precision) && !(precision.ValueKind == JsonValueKind.String && precision.ValueEquals(Float64)))
        {
            throw PipelineNotes.Wrong(Precision, $"\"{Float64}\"", precision);
        }

        return new ExactTable(
            !note.TryGetProperty(AlphaBars, out var list) ? null
            : list.ValueKind == JsonValueKind.Array && list.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Number) ? [.. list.EnumerateArray().Select(item => item.GetDouble())]
            : throw PipelineNotes.Wrong(AlphaBars, "a list of numbers", list));
    }

    public JsonObject ToJson()
    {
        var note = new JsonObject { [Precision] = Float64 };
        if (_alphaBars is not null)
        {
            note[AlphaBars] = new JsonArray([.. _alphaBars.Select(value => (JsonNode)value)]);
        }

        return note;
    }

    /// <summary>The table in Float64.</summary>
    /// <param name="config">The text of scheduler_config.json.</param>
    /// <param name="rounded">What diffusers makes of it.</param>
    /// <exception cref="InvalidDataException">They are not the same schedule; the message is the reason, without the file's name.</exception>
    public INoiseSchedule Schedule(string config, INoiseSchedule rounded)
    {
        try
        {
            using var json = PythonJson.Parse(config);
            TabulatedNoiseSchedule? exact = _alphaBars is null ? InDouble(json.RootElement) : BetaNoiseSchedule.FromAlphaBars(_alphaBars);
            if (exact is not null && Agree(SchedulerTables.InSinglePrecision(exact), rounded))
            {
                return exact;
            }
        }
        catch (Exception error) when (error is ArgumentException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"the schedule in its \"{PipelineNotes.Key}\" is none that scheduler_config.json describes: {error.Message}", error);
        }

        throw new InvalidDataException($"the schedule in its \"{PipelineNotes.Key}\" is not that of scheduler_config.json, which was changed since: remove \"{PipelineNotes.Key}\" to use the file as it is");
    }

    private static bool Agree(BetaNoiseSchedule expected, INoiseSchedule rounded) => expected.Timesteps == rounded.Timesteps
        && Enumerable.Range(0, expected.Timesteps).All(t => Math.Abs(expected.AlphaBars[t] - (rounded.LevelAt(t).Alpha * rounded.LevelAt(t).Alpha)) < Rounding);

    private static JsonObject Keys(TabulatedNoiseSchedule table, string name, double start, double end, IReadOnlyList<double>? betas = null) => new()
    {
        ["num_train_timesteps"] = table.Timesteps,
        ["beta_schedule"] = name,
        ["beta_start"] = start,
        ["beta_end"] = end,
        ["trained_betas"] = betas is null ? null : new JsonArray([.. betas.Select(beta => (JsonNode)beta)]),
    };

    private static TabulatedNoiseSchedule? InDouble(JsonElement config)
    {
        if (config.TryGetProperty("trained_betas", out var betas) && betas.ValueKind == JsonValueKind.Array)
        {
            return new BetaNoiseSchedule(betas.EnumerateArray().Select(beta => beta.GetDouble()));
        }

        var (timesteps, start, end) = (config.GetProperty("num_train_timesteps").GetInt32(), config.GetProperty("beta_start").GetDouble(), config.GetProperty("beta_end").GetDouble());
        return config.GetProperty("beta_schedule").GetString() switch
        {
            "linear" when start < 1 && end < 1 => new LinearNoiseSchedule(timesteps, start, end),
            "scaled_linear" when start < 1 && end < 1 => new ScaledLinearNoiseSchedule(timesteps, start, end),
            "squaredcos_cap_v2" => new CosineNoiseSchedule(timesteps),
            _ => null,
        };
    }

    /// <summary>The table of a schedule of one's own: α² at whole timesteps.</summary>
    private static BetaNoiseSchedule Table(INoiseSchedule schedule)
    {
        var levels = Enumerable.Range(0, schedule.Timesteps).Select(schedule.LevelAt).ToList();
        var wrong = levels.FindIndex(level => Math.Abs((level.Alpha * level.Alpha) + (level.Sigma * level.Sigma) - 1) > 1e-9);
        if (wrong >= 0)
        {
            throw new ArgumentException(
                FormattableString.Invariant($"it does not preserve the variance: at timestep {wrong} α is {levels[wrong].Alpha} and σ is {levels[wrong].Sigma}, and DDPMScheduler has α² + σ² = 1"), nameof(schedule));
        }

        var told = levels.Select((level, t) => (level.Timestep, t)).FirstOrDefault(pair => pair.Timestep != pair.t, (0, -1));
        return told.Item2 >= 0
            ? throw new ArgumentException(FormattableString.Invariant($"the network is told {told.Item1} at timestep {told.Item2}, and DDPMScheduler tells it {told.Item2}"), nameof(schedule))
            : BetaNoiseSchedule.FromAlphaBars(levels.Select(level => level.Alpha * level.Alpha));
    }
}
