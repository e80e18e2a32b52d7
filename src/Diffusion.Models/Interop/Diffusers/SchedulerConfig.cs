using System.Text.Json;

namespace Diffusion.Models;

/// <summary>The values of a scheduler_config.json, each with the default that its class has.</summary>
internal sealed class SchedulerConfig
{
    // Tables take memory for each; 1000 is usual, and 4000 the largest known.
    private const int MaxTimesteps = 100_000;

    private static readonly JsonDocumentOptions s_json = new() { AllowDuplicateProperties = false };

    private readonly JsonElement _json;

    private SchedulerConfig(JsonElement json, string className) => (_json, ClassName) = (json, className);

    public string ClassName { get; }

    public int Timesteps => Whole("num_train_timesteps", ClassName == "ScoreSdeVeScheduler" ? 2000 : 1000) is >= 1 and <= MaxTimesteps and var timesteps
        ? timesteps
        : throw Wrong("num_train_timesteps", $"from 1 to {MaxTimesteps}", Value("num_train_timesteps")!.Value);

    public int Offset => Whole("steps_offset", 0);

    public string Spacing => Text("timestep_spacing", ClassName is "DDPMScheduler" or "DDPMParallelScheduler" or "DDIMScheduler" or "DDIMParallelScheduler" or "DDIMInverseScheduler" or "PNDMScheduler" or "LCMScheduler" or "RePaintScheduler" ? "leading" : "linspace");

    /// <summary>Whether the process is that of EDM: α = 1, σ from a formula, and a network that is scaled by σ and the standard deviation of the data.</summary>
    public bool IsEdm => ClassName is "EDMEulerScheduler" or "EDMDPMSolverMultistepScheduler" or "CosineDPMSolverMultistepScheduler";

    /// <summary>Whether the network is conditioned on ln(σ)/4 instead of the timestep.</summary>
    public bool IsContinuous => ClassName == "EulerDiscreteScheduler" && Text("prediction_type", "epsilon") == "v_prediction" && Text("timestep_type", "discrete") switch
    {
        "continuous" => true,
        "discrete" => false,
        var other => throw Unknown("timestep_type", other, "continuous, discrete"),
    };

    /// <summary>σ_min, σ_max and σ_data of EDM, with the defaults of the class.</summary>
    public (double Min, double Max, double Data) EdmSigmas => ClassName == "CosineDPMSolverMultistepScheduler"
        ? (Number("sigma_min", 0.3), Number("sigma_max", 500), Number("sigma_data", 1))
        : (Number("sigma_min", 0.002), Number("sigma_max", 80), Number("sigma_data", 0.5));

    /// <summary>How σ is spaced in EDM.</summary>
    public bool IsKarras => Text("sigma_schedule", ClassName == "CosineDPMSolverMultistepScheduler" ? "exponential" : "karras") switch
    {
        "karras" => true,
        "exponential" => false,
        var other => throw Unknown("sigma_schedule", other, "karras, exponential"),
    };

    public bool EndsClean => ClassName != "DEISMultistepScheduler" && Text("final_sigmas_type", "zero") switch
    {
        "zero" => true,
        "sigma_min" => false,
        var other => throw Unknown("final_sigmas_type", other, "zero, sigma_min"),
    };

    public static SchedulerConfig Parse(string json, string? className)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            using var document = JsonDocument.Parse(json, s_json);
            var root = document.RootElement.Clone();
            return root.ValueKind == JsonValueKind.Object && root.TryGetProperty("_class_name", out var name) && name.ValueKind == JsonValueKind.String
                ? new SchedulerConfig(root, className ?? name.GetString()!)
                : throw new InvalidDataException("A scheduler configuration is a JSON object with the text \"_class_name\"; this one has none.");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: an escaped half of a surrogate pair.
            throw new InvalidDataException($"The scheduler configuration is not JSON: {error.Message}", error);
        }
    }

    public bool Has(string name) => Value(name) is not null;

    public bool Flag(string name, bool otherwise = false) => Value(name) is not { } value
        ? otherwise
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Wrong(name, "true or false", value);

    public double Number(string name, double otherwise) => OptionalNumber(name) ?? otherwise;

    public double? OptionalNumber(string name) => Value(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value => value.GetDouble(),
        { ValueKind: JsonValueKind.String } value when value.GetString() == "-inf" => double.NegativeInfinity,
        { } value => throw Wrong(name, "a number", value),
    };

    public int Whole(string name, int otherwise) => Value(name) is not { } value
        ? otherwise
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var whole) ? whole : throw Wrong(name, "a whole number", value);

    public string Text(string name, string otherwise) => Value(name) is not { } value
        ? otherwise
        : value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(name, "a text", value);

    public IReadOnlyList<double>? Numbers(string name) => Value(name) is not { } value
        ? null
        : value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Number)
            ? [.. value.EnumerateArray().Select(item => item.GetDouble())]
            : throw Wrong(name, "a list of numbers", value);

    public InvalidDataException Unknown(string name, string value, string known) =>
        new($"{ClassName}: \"{name}\" is \"{value}\"; this library reads {known}.");

    private JsonElement? Value(string name) => _json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private InvalidDataException Wrong(string name, string needed, JsonElement value) =>
        new($"{ClassName}: \"{name}\" must be {needed}; it is {value.GetRawText()}.");
}
