using System.Text.RegularExpressions;

namespace Diffusion.Models;

/// <summary>
/// The names that another project gives to the weights of the same network: data, read in both directions.
/// A rule is a pair of names in which <c>{0}</c> to <c>{9}</c> stand for a number and <c>*</c> for one part of a name, between dots; it occurs once at most. <c>down.{0}.*</c> fits <c>down.3.weight</c>, and not <c>down.3.conv.weight</c>.
/// </summary>
public sealed class KeyMap
{
    private readonly List<(Regex Pattern, string Target)> _toOurs;
    private readonly List<(Regex Pattern, string Target)> _toTheirs;

    /// <summary>Makes a map; the first rule that fits a name is used.</summary>
    /// <param name="name">The other project's name, for messages.</param>
    /// <param name="rules">This library's name and the other project's.</param>
    public KeyMap(string name, IEnumerable<(string Ours, string Theirs)> rules)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(rules);
        Name = name;
        var list = rules.ToList();
        _toTheirs = [.. list.Select(rule => (Pattern(rule.Ours), Target(rule.Theirs)))];
        _toOurs = [.. list.Select(rule => (Pattern(rule.Theirs), Target(rule.Ours)))];
    }

    /// <summary>
    /// The network of the course "Implementing Denoising Diffusion Models" (explainingai-code/DDPM-Pytorch, models/unet_base.py).
    /// Its shape is <see cref="UNetPresets.Course"/>.
    /// </summary>
    public static KeyMap Course { get; } = new("explainingai-code/DDPM-Pytorch", CourseRules());

    /// <summary>The short names, for command lines and configurations, of the maps that are the same for every network.</summary>
    public static IReadOnlyList<string> Names { get; } = ["course"];

    /// <summary>The other project's name.</summary>
    public string Name { get; }

    /// <summary>The map of a short name; upper and lower case are the same.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <returns>The map.</returns>
    /// <exception cref="ArgumentException">There is no such map; the message lists the names.</exception>
    public static KeyMap Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Equals(Names[0], StringComparison.OrdinalIgnoreCase)
            ? Course
            : throw new ArgumentException($"must be one of {string.Join(", ", Names)}; it is '{name}'.", nameof(name));
    }

    /// <summary>This library's name of a weight.</summary>
    /// <param name="theirs">The other project's name.</param>
    /// <returns>Our name, or <see langword="null"/> where no rule fits.</returns>
    public string? ToOurs(string theirs) => Apply(_toOurs, theirs);

    /// <summary>The other project's name of a weight.</summary>
    /// <param name="ours">This library's name.</param>
    /// <returns>Their name, or <see langword="null"/> where no rule fits.</returns>
    public string? ToTheirs(string ours) => Apply(_toTheirs, ours);

    /// <summary>Renames weights of the other project, for <see cref="Weights.Load"/>. The tensors are not copied.</summary>
    /// <typeparam name="T">Tensors, or anything else with such names.</typeparam>
    /// <param name="theirs">Weights under the other project's names.</param>
    /// <returns>The same under this library's names; a name without a rule stays, so that loading reports it.</returns>
    public IReadOnlyDictionary<string, T> ToOurs<T>(IEnumerable<KeyValuePair<string, T>> theirs)
    {
        ArgumentNullException.ThrowIfNull(theirs);
        return theirs.ToDictionary(entry => ToOurs(entry.Key) ?? entry.Key, entry => entry.Value);
    }

    /// <summary>Renames weights of this library.</summary>
    /// <typeparam name="T">Tensors, or anything else with such names.</typeparam>
    /// <param name="ours">Weights under this library's names.</param>
    /// <returns>The same under the other project's names.</returns>
    /// <exception cref="ArgumentException">The other project has no such weight; the message names it.</exception>
    public IReadOnlyDictionary<string, T> ToTheirs<T>(IEnumerable<KeyValuePair<string, T>> ours)
    {
        ArgumentNullException.ThrowIfNull(ours);
        return ours.ToDictionary(
            entry => ToTheirs(entry.Key) ?? throw new ArgumentException($"{Name} has no weight that corresponds to '{entry.Key}'.", nameof(ours)),
            entry => entry.Value);
    }

    private static IEnumerable<(string Ours, string Theirs)> CourseRules()
    {
        yield return ("conv_in.*", "conv_in.*");
        yield return ("time.linear1.*", "t_proj.0.*");
        yield return ("time.linear2.*", "t_proj.2.*");
        yield return ("norm_out.*", "norm_out.*");
        yield return ("conv_out.*", "conv_out.*");
        yield return ("down.{0}.downsample.*", "downs.{0}.down_sample_conv.*");
        yield return ("up.{0}.upsample.*", "ups.{0}.up_sample_conv.*");
        foreach (var (ours, theirs) in new[] { ("down.{0}.layers", "downs.{0}"), ("mid.{0}", "mids.{0}"), ("up.{0}.layers", "ups.{0}") })
        {
            yield return ($"{ours}.residuals.{{1}}.norm1.*", $"{theirs}.resnet_conv_first.{{1}}.0.*");
            yield return ($"{ours}.residuals.{{1}}.conv1.*", $"{theirs}.resnet_conv_first.{{1}}.2.*");
            yield return ($"{ours}.residuals.{{1}}.time.*", $"{theirs}.t_emb_layers.{{1}}.1.*");
            yield return ($"{ours}.residuals.{{1}}.norm2.*", $"{theirs}.resnet_conv_second.{{1}}.0.*");
            yield return ($"{ours}.residuals.{{1}}.conv2.*", $"{theirs}.resnet_conv_second.{{1}}.2.*");
            yield return ($"{ours}.residuals.{{1}}.shortcut.*", $"{theirs}.residual_input_conv.{{1}}.*");
            yield return ($"{ours}.attentions.{{1}}.norm.*", $"{theirs}.attention_norms.{{1}}.*");
            yield return ($"{ours}.attentions.{{1}}.qkv.*", $"{theirs}.attentions.{{1}}.in_proj_*");
            yield return ($"{ours}.attentions.{{1}}.out.*", $"{theirs}.attentions.{{1}}.out_proj.*");
        }
    }

    private static Regex Pattern(string rule) => new(
        "^" + Regex.Replace(Regex.Escape(rule).Replace(@"\*", "(?<rest>[^.]+)", StringComparison.Ordinal), @"\\\{(\d)}", "(?<n$1>[0-9]+)") + "$",
        RegexOptions.CultureInvariant);

    private static string Target(string rule) => Regex.Replace(rule.Replace("*", "${rest}", StringComparison.Ordinal), @"\{(\d)\}", "$${n$1}");

    private static string? Apply(List<(Regex Pattern, string Target)> rules, string name)
    {
        var (pattern, target) = rules.Find(rule => rule.Pattern.IsMatch(name));
        return pattern?.Replace(name, target);
    }
}
