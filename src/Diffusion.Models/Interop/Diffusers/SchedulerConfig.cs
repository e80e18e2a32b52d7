using System.Text.Json;

namespace Diffusion.Models;

/// <summary>The values of a scheduler_config.json that its class has, each with the default of the class. Keys of other classes are not read.</summary>
internal sealed class SchedulerConfig
{
    // Tables take memory for each; 1000 is usual, and 4000 the largest known.
    private const int MaxTimesteps = 100_000;

    private readonly JsonElement _json;
    private readonly IReadOnlySet<string> _keys;
    private readonly IReadOnlyCollection<string> _ignored;

    private SchedulerConfig(JsonElement json, string className, IReadOnlyCollection<string> ignored) =>
        (_json, ClassName, _keys, _ignored) = (json, className, SchedulerKeys.Of(className), ignored);

    public string ClassName { get; }

    /// <summary>Whether DDPM uses its variance in a last step that begins above timestep 0, as in diffusers; not in pipelines that were written here.</summary>
    public bool NoiseAtEnd { get; private init; }

    /// <summary>The keys of the file that other classes have and this one has not, in the file's order.</summary>
    public IReadOnlyList<string> UnusedKeys => [.. Written().Where(key => !IsRead(key))];

    public int Timesteps => Whole("num_train_timesteps", ClassName == "ScoreSdeVeScheduler" ? 2000 : 1000) is >= 1 and <= MaxTimesteps and var timesteps
        ? timesteps
        : throw Wrong("num_train_timesteps", $"from 1 to {MaxTimesteps}");

    public int Offset => Whole("steps_offset", 0);

    public string Spacing => Text("timestep_spacing", ClassName is "DDPMScheduler" or "DDPMParallelScheduler" or "DDIMScheduler" or "DDIMParallelScheduler" or "DDIMInverseScheduler" or "PNDMScheduler" or "LCMScheduler" or "RePaintScheduler" ? "leading" : "linspace");

    /// <summary>Whether the process is that of EDM: α = 1, σ from a formula, and a network that is scaled by σ and the standard deviation of the data.</summary>
    public bool IsEdm => ClassName is "EDMEulerScheduler" or "EDMDPMSolverMultistepScheduler" or "CosineDPMSolverMultistepScheduler";

    /// <summary>Whether the process is a rectified flow whatever the keys are.</summary>
    public bool IsFlowMatch => ClassName is "FlowMatchEulerDiscreteScheduler" or "FlowMatchHeunDiscreteScheduler" or "FlowMatchLCMScheduler";

    /// <summary>Whether the network is conditioned on ln(σ)/4 instead of the timestep.</summary>
    public bool IsContinuous => ClassName == "EulerDiscreteScheduler" && Text("prediction_type", "epsilon") == "v_prediction" && Text("timestep_type", "discrete") == "continuous";

    /// <summary>σ_min, σ_max and σ_data of EDM, with the defaults of the class.</summary>
    public (double Min, double Max, double Data) EdmSigmas => ClassName == "CosineDPMSolverMultistepScheduler"
        ? (Number("sigma_min", 0.3), Number("sigma_max", 500), Number("sigma_data", 1))
        : (Number("sigma_min", 0.002), Number("sigma_max", 80), Number("sigma_data", 0.5));

    /// <summary>How σ is spaced in EDM.</summary>
    public bool IsKarras => Text("sigma_schedule", ClassName == "CosineDPMSolverMultistepScheduler" ? "exponential" : "karras") == "karras";

    /// <summary>Whether a run ends at the clean image; DEIS and SA-Solver end at the smallest σ.</summary>
    public bool EndsClean => ClassName is not ("DEISMultistepScheduler" or "SASolverScheduler") && Text("final_sigmas_type", "zero") != "sigma_min";

    /// <summary>The text, in plain JSON.</summary>
    public string Json => _json.GetRawText();

    /// <param name="json">The text of the file.</param>
    /// <param name="className">The class to make of it, which counts more than the text's own; <see langword="null"/> for that one.</param>
    /// <param name="ignored">Keys that are taken as if the file did not have them.</param>
    /// <param name="noiseAtEnd">See <see cref="NoiseAtEnd"/>.</param>
    public static SchedulerConfig Parse(string json, string? className, IReadOnlyCollection<string>? ignored, bool noiseAtEnd = true)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            using var document = PythonJson.Parse(json);
            var root = document.RootElement.Clone();
            return root.ValueKind == JsonValueKind.Object && root.TryGetProperty("_class_name", out var name) && name.ValueKind == JsonValueKind.String
                ? new SchedulerConfig(root, className ?? name.GetString()!, ignored ?? []) { NoiseAtEnd = noiseAtEnd }
                : throw new InvalidDataException("A scheduler configuration is a JSON object with the text \"_class_name\"; this one has none.");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: an escaped half of a surrogate pair.
            throw new InvalidDataException($"The scheduler configuration is not JSON: {error.Message}", error);
        }
    }

    /// <summary>An error for keys that no class has, unless the caller named them; names that begin with an underscore are notes.</summary>
    public void ThrowIfUnknownKeys()
    {
        var unknown = Written().Where(key => !_keys.Contains(key) && !SchedulerKeys.IsKnown(key)).ToList();
        if (unknown.Count > 0)
        {
            throw new InvalidDataException(
                $"{ClassName}: no scheduler class of diffusers has {string.Join(", ", unknown.Take(10).Select(key => $"\"{key}\" ({Shown(_json.GetProperty(key))})"))}{(unknown.Count > 10 ? $" and {unknown.Count - 10} more" : string.Empty)}. "
                + "To read the rest, name what to ignore (ignoredKeys, or --ignore-key of the app).");
        }
    }

    /// <summary>The keys that the file has and the class reads, each with a value that is not null.</summary>
    public IEnumerable<string> ReadKeys() => Written().Where(key => IsRead(key) && Has(key));

    /// <summary>Whether the file has the key, and not null.</summary>
    public bool Has(string name) => Value(name) is { ValueKind: not JsonValueKind.Null };

    /// <summary>Whether the file has null there, which is not the same as nothing.</summary>
    public bool HasNull(string name) => Value(name) is { ValueKind: JsonValueKind.Null };

    /// <summary>True or false; null is false, as in Python.</summary>
    public bool Flag(string name, bool otherwise = false) => Value(name) switch
    {
        null => otherwise,
        { ValueKind: JsonValueKind.Null } => false,
        { ValueKind: JsonValueKind.True or JsonValueKind.False } value => value.GetBoolean(),
        _ => throw Wrong(name, "true or false"),
    };

    public double Number(string name, double otherwise) => HasNull(name) ? throw Wrong(name, "a number") : OptionalNumber(name) ?? otherwise;

    /// <summary>A finite number, or null where the file has null or nothing.</summary>
    public double? OptionalNumber(string name) => NumberOrInfinity(name) is { } number && !double.IsFinite(number) ? throw Wrong(name, "a finite number") : NumberOrInfinity(name);

    /// <summary>The same, which may be infinite.</summary>
    public double? NumberOrInfinity(string name) => Value(name) switch
    {
        null or { ValueKind: JsonValueKind.Null } => null,
        { ValueKind: JsonValueKind.Number } value => value.GetDouble(),
        { ValueKind: JsonValueKind.String } value when value.GetString() == "-inf" => double.NegativeInfinity,
        _ => throw Wrong(name, "a number"),
    };

    public int Whole(string name, int otherwise) => Value(name) is not { } value
        ? otherwise
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var whole) ? whole : throw Wrong(name, "a whole number");

    public string Text(string name, string otherwise) => Value(name) is not { } value
        ? otherwise
        : value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(name, "a text");

    /// <summary>A list of numbers, or null where the file has null or nothing.</summary>
    public IReadOnlyList<double>? Numbers(string name) => Value(name) is not { ValueKind: not JsonValueKind.Null } value
        ? null
        : value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Number)
            ? [.. value.EnumerateArray().Select(item => item.GetDouble())]
            : throw Wrong(name, "a list of numbers");

    /// <summary>A list of whole numbers, or null where the file has null or nothing.</summary>
    public IReadOnlyList<int>? Wholes(string name) => Value(name) is not { ValueKind: not JsonValueKind.Null } value
        ? null
        : value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out _))
            ? [.. value.EnumerateArray().Select(item => item.GetInt32())]
            : throw Wrong(name, "a list of whole numbers");

    public InvalidDataException Unknown(string name, string value, string known) =>
        new($"{ClassName}: \"{name}\" is \"{value}\"; this library reads {known}.");

    public InvalidDataException Wrong(string name, string needed) =>
        new($"{ClassName}: \"{name}\" must be {needed}; it is {(Value(name) is { } value ? Shown(value) : "missing")}.");

    private static string Shown(JsonElement value)
    {
        const int Longest = 80;
        var text = value.ValueKind == JsonValueKind.Number && double.IsInfinity(value.GetDouble())
            ? value.GetDouble() > 0 ? "Infinity" : "-Infinity"
            : value.GetRawText();
        return text.Length > Longest ? $"{text[..Longest]}…" : text;
    }

    private IEnumerable<string> Written() => _json.EnumerateObject().Select(entry => entry.Name).Where(name => !name.StartsWith('_') && !_ignored.Contains(name));

    private JsonElement? Value(string name) => IsRead(name) && !_ignored.Contains(name) && _json.TryGetProperty(name, out var value) ? value : null;

    /// <summary>Whether the class has the key, or reads it all the same.</summary>
    private bool IsRead(string name) => _keys.Contains(name) || (name is "sigma_min" or "sigma_max" && ReadsEnds());

    /// <summary>
    /// Ramps in σ look for sigma_min and sigma_max in the file even where the constructor of the class does not have them: the method is copied from class to class. Two classes have a ramp of Karras of their own.
    /// </summary>
    private bool ReadsEnds() => Flag("use_karras_sigmas")
        ? ClassName is not ("LMSDiscreteScheduler" or "DPMSolverSDEScheduler")
        : !Flag("use_lu_lambdas") && (Flag("use_exponential_sigmas") || Flag("use_beta_sigmas"));
}
