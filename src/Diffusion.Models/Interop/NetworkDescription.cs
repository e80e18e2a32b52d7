using System.Globalization;
using System.Reflection;

namespace Diffusion.Models;

/// <summary>What a block list computes, as values under the names of the options: equal exactly where two networks are. How weights start does not count.</summary>
internal static class NetworkDescription
{
    private const string None = "none";
    private const int MaxListed = 12;

    /// <summary>Where two networks differ: <c>normGroups is 8, and NAME would have 16</c>, the first twelve; <see langword="null"/> where they are equal.</summary>
    /// <param name="one">A block list.</param>
    /// <param name="other">Another one.</param>
    /// <param name="name">What the other is called.</param>
    public static string? Difference(UNetOptions one, UNetOptions other, string name)
    {
        var (here, there) = (Values(one).ToDictionary(), Values(other).ToDictionary());
        var different = here.Keys.Union(there.Keys).Where(key => here.GetValueOrDefault(key) != there.GetValueOrDefault(key)).ToList();
        // What only one of them has follows from what both have.
        if (different.Where(key => here.ContainsKey(key) && there.ContainsKey(key)).ToList() is { Count: > 0 } shared)
        {
            different = shared;
        }

        return different.Count == 0 ? null
            : string.Join("; ", different.Take(MaxListed).Select(key => $"{key} is {here.GetValueOrDefault(key, None)}, and {name} would have {there.GetValueOrDefault(key, None)}"))
                + (different.Count > MaxListed ? $"; and {different.Count - MaxListed} more" : "");
    }

    private static IEnumerable<KeyValuePair<string, string>> Values(UNetOptions options)
    {
        var plan = UNetPlan.Of(options with { ZeroInitialize = false });
        var dialect = options.Dialect;
        return
        [
            new("channels in", Text(plan.InChannels)),
            new("dialect.patchSize", Text(options.Dialect.PatchSize)),
            new("stemChannels", Text(plan.Stem)),
            new("channels out", Text(plan.OutChannels)),
            new("normGroups", Text(options.NormGroups)),
            new("timeDimension", Text(options.TimeDimension)),
            .. Values("dialect.time", dialect.Time with { Width = dialect.Time.Width ?? options.TimeDimension }),
            .. Values("dialect.labels", dialect.Labels),
            .. Values("dialect.context", dialect.Context),
            .. Values("dialect.residual", dialect.Residual),
            new("dialect.centerInput", Text(dialect.CenterInput)),
            new("dialect.divideByTime", Text(dialect.DivideByTime)),
            .. Values("down", plan.Down),
            .. Values("mid", plan.Mid),
            .. Values("up", plan.Up),
        ];
    }

    private static IEnumerable<KeyValuePair<string, string>> Values(string name, IReadOnlyList<BlockPlan> blocks) =>
        blocks.SelectMany((block, i) => Values($"{name}[{i}]", block)).Prepend(new($"blocks in {name}", Text(blocks.Count)));

    private static IEnumerable<KeyValuePair<string, string>> Values(string name, BlockPlan block)
    {
        yield return new($"{name}.skips", $"[{string.Join(", ", block.Skips)}]");
        if (block.Resamples)
        {
            yield return block.Options is DownBlockOptions ? new($"{name}.downsampling", Text(block.Downsampling)) : new($"{name}.upsampling", Text(block.Upsampling));
        }

        var layers = Enumerable.Range(0, block.Residuals).SelectMany(i => Values($"{name}.layers[{i}]", block.Residual(i)));
        foreach (var value in layers.Concat(Enumerable.Range(0, block.Attentions).SelectMany(i => Values($"{name}.attention[{i}]", block.Attention()))))
        {
            yield return value;
        }
    }

    /// <summary>The values of options or of a plan that are set; those of options within it apart.</summary>
    private static IEnumerable<KeyValuePair<string, string>> Values(string name, object? options) => options is null
        ? [new(name, None)]
        : from property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
          where property.CanWrite && !property.PropertyType.IsAssignableTo(typeof(IValidatedOptions))
          select KeyValuePair.Create($"{name}.{CamelCase(property.Name)}", Text(property.GetValue(options)));

    private static string Text(object? value) => value is Enum or bool ? CamelCase(value.ToString()!) : Convert.ToString(value ?? None, CultureInfo.InvariantCulture)!;

    private static string CamelCase(string name) => char.ToLowerInvariant(name[0]) + name[1..];
}
