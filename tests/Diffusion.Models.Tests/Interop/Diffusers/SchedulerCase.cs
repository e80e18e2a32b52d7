using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>What a recorded run of a diffusers scheduler was asked to do.</summary>
internal sealed partial class SchedulerCase
{
    private static readonly string[] SigmaScaled =
    [
        "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler", "LMSDiscreteScheduler", "KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler",
        "DPMSolverSDEScheduler",
    ];

    public SchedulerCase(GoldenCase golden)
    {
        var name = golden.Json.GetProperty("peer").GetProperty("class").GetString()!.Split('.')[^1];
        var fields = golden.Json.GetProperty("full_config").EnumerateObject().ToDictionary(field => field.Name, field => field.Value);
        fields["_class_name"] = JsonSerializer.SerializeToElement(name);
        Json = JsonSerializer.Serialize(fields);
        Scheduler = DiffusersScheduler.Parse(Json);
        InSigma = SigmaScaled.Contains(name);
        var calls = string.Join(' ', golden.Json.GetProperty("calls").EnumerateArray().Select(call => call.GetString()));
        var churn = Value(calls, "s_churn") ?? 0;
        Steps = (int)(Value(calls, "num_inference_steps") ?? 0);
        Options = new DiffusersSamplingOptions
        {
            Eta = Value(calls, "eta") ?? 0,
            UseClippedModelOutput = calls.Contains("use_clipped_model_output=True", StringComparison.Ordinal),
            Mu = Value(calls, "mu"),
            Churn = churn > 0
                ? new Churn(churn, Value(calls, "s_tmin")!.Value, Value(calls, "s_tmax")!.Value, Value(calls, "s_noise")!.Value)
                : new Churn(0, NoiseScale: Value(calls, "s_noise") ?? 1),
            Order = (int?)Value(calls, "order"),
        };
        if (TimestepList().Match(calls) is { Success: true } list)
        {
            Grid = new TimestepGrid(list.Groups[1].Value.Split(',').Select(text => int.Parse(text, CultureInfo.InvariantCulture)));
        }
    }

    /// <summary>The configuration.</summary>
    public string Json { get; }

    public DiffusersScheduler Scheduler { get; }

    /// <summary>Whether the peer's x is ours divided by α.</summary>
    public bool InSigma { get; }

    /// <summary>
    /// Whether x reaches tens to hundreds, and with it its rounding: in σ, in EDM, and with SA-Solver, whose coefficients cancel in single precision there (here in double, which leaves the same
    /// differences whatever the type of x).
    /// </summary>
    public bool IsLarge => InSigma || Scheduler.ClassName.StartsWith("EDM", StringComparison.Ordinal) || Scheduler.ClassName is "CosineDPMSolverMultistepScheduler" or "SASolverScheduler";

    public int Steps { get; }

    public TimestepGrid? Grid { get; }

    public DiffusersSamplingOptions Options { get; }

    /// <summary>The recorded draws, or null: of SASolverScheduler, which draws at every step, those that are used.</summary>
    public Tensor? Noise(GoldenCase golden)
    {
        if (!golden.Tensors.ContainsKey("noise"))
        {
            return null;
        }

        var timesteps = golden["timesteps"];
        return Scheduler.ClassName == "SASolverScheduler" ? golden["noise"][timesteps.ge(200).logical_and(timesteps.le(800))] : golden["noise"];
    }

    public double Scale(NoiseLevel level) => InSigma ? 1 / level.Alpha : 1;

    private static double? Value(string calls, string name) =>
        Regex.Match(calls, $@"\b{name}=([0-9.]+)") is { Success: true } match ? double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : null;

    [GeneratedRegex(@"timesteps=\[([^\]]+)\]")]
    private static partial Regex TimestepList();
}
