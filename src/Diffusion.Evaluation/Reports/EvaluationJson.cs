using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Diffusion.Evaluation;

/// <summary>A report as JSON.</summary>
internal static class EvaluationJson
{
    private const int Format = 1;

    private static readonly JsonSerializerOptions s_options = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(EvaluationReport report) => new JsonObject
    {
        ["format"] = Format,
        ["images"] = report.Images,
        ["count"] = report.Count,
        ["features"] = report.Features,
        ["figures"] = new JsonArray([.. report.Figures.Select(Of)]),
        ["classes"] = new JsonArray([.. report.Classes.Select(each => new JsonObject { ["name"] = each.Class, ["images"] = each.Images })]),
        ["remarks"] = new JsonArray([.. report.Remarks.Select(remark => JsonValue.Create(remark))]),
        ["settings"] = new JsonObject(report.Settings.Select(setting => KeyValuePair.Create(setting.Key, Of(setting.Key, setting.Value)))),
    }.ToJsonString(s_options) + "\n";

    private static JsonObject Of(EvaluationFigure figure) => new()
    {
        ["name"] = figure.Name,
        ["value"] = Finite(figure.Name, figure.Value),
        ["standardError"] = Finite(figure.Name, figure.StandardError),
        ["bias"] = Finite(figure.Name, figure.Bias),
        ["images"] = figure.Images,
        ["referenceImages"] = figure.ReferenceImages,
        ["reference"] = figure.Reference,
        ["features"] = figure.Features,
        ["remark"] = figure.Remark,
    };

    private static double? Finite(string name, double? value) =>
        value is null || double.IsFinite(value.Value) ? value : throw new InvalidOperationException(FormattableString.Invariant($"JSON holds finite numbers only; a value of '{name}' is {value}."));

    private static JsonNode? Of(string name, object? value) => value switch
    {
        null => null,
        string text => text,
        bool flag => flag,
        int number => number,
        long number => number,
        double number => Finite(name, number),
        _ => throw new InvalidOperationException($"A setting is text, a number, a bool or null; '{name}' is a {value.GetType().Name}."),
    };
}
