using System.Globalization;
using System.Text;
using Diffusion.Configuration;

namespace Diffusion.Benchmarks;

/// <summary>Every key of a configuration file: docs/configuration.md.</summary>
internal sealed class ConfigurationReference
{
    private const string Introduction = """
        # Configuration file
        Every key of a run's JSON file, from the documentation of the options that it is bound to. `dotnet run -c Release --project benchmarks/Diffusion.Benchmarks -- configuration` writes this page; a test fails where it is not current.

        `RunConfiguration.Load(path)` reads a file, and so does `train --config FILE` of the [command line](command-line.md#configuration-file). Only `data.path` and the blocks of `model.down` have no default:

        ```json
        {
          "data": { "kind": "folder", "path": "pictures", "size": 32, "channels": 3, "folder": { "labels": false } },
          "model": { "down": [ { "channels": 32, "layers": 1 }, { "channels": 64, "layers": 1, "attention": true } ] },
          "training": { "steps": 4000, "precision": "bFloat16" }
        }
        ```

        Comments (`//`, `/* */`) and commas at the end are allowed; upper and lower case of keys and names are the same; relative paths start at the file's folder. A key that is not here is an error, and so is a value that does not fit: the message has the path of each.
        `needed` stands where there is no default; all other keys may be left out, and those whose default is `null` are meant to be, for what the page says of `null`. More about
        [data](data.md#in-a-configuration-file), [networks](networks.md), [schedules, predictions and losses](objectives.md), [training](training.md), [samplers](choosing-a-sampler.md), [guidance](guidance.md), [what is watched](training.md#observers).

        """;

    private readonly IReadOnlyList<OptionSection> _sections = OptionSection.Of(typeof(RunOptions), AllowedValues.IsRefused);
    private readonly XmlComments _comments = XmlComments.Read();
    private readonly StringBuilder _text = new(Introduction.ReplaceLineEndings("\n"));

    /// <summary>The page, with the ends of lines of Unix.</summary>
    public static string Text()
    {
        var reference = new ConfigurationReference();
        foreach (var section in reference._sections)
        {
            reference.Add(section);
        }

        reference.AddNames();
        return reference._text.ToString();
    }

    private void Add(OptionSection section)
    {
        _text.Append(CultureInfo.InvariantCulture, $"\n## {(section.Path.Length == 0 ? "The file" : section.Path)}\n{Summary($"T:{section.Type.FullName}", section)}\n\n| key | values | default | |\n|---|---|---|---|\n");
        foreach (var key in section.Keys)
        {
            _text.Append(CultureInfo.InvariantCulture, $"| `{OptionSection.CamelCase(key.Property.Name)}` | {Values(key)} | {Default(key)} | {Summary($"P:{section.Type.FullName}.{key.Property.Name}", section)} |\n");
        }
    }

    private void AddNames()
    {
        _text.Append("\n## What the names mean\n");
        foreach (var keys in _sections.SelectMany(section => section.Keys).Where(key => key.Type.IsEnum).GroupBy(key => key.Type))
        {
            _text.Append(CultureInfo.InvariantCulture, $"\n**{string.Join(", ", keys.Select(key => $"`{key.Path}`"))}**\n\n| name | |\n|---|---|\n");
            foreach (var name in Enum.GetNames(keys.Key))
            {
                _text.Append(CultureInfo.InvariantCulture, $"| `{OptionSection.CamelCase(name)}` | {Summary($"F:{keys.Key.FullName}.{name}", null)} |\n");
            }
        }
    }

    private string Values(OptionKey key)
    {
        if (!key.HasKeys)
        {
            return key.IsList ? $"list: {AllowedValues.Of(key)}" : AllowedValues.Of(key);
        }

        var path = key.IsList ? $"{key.Path}[]" : key.Path;
        return _sections.Any(section => section.Path == path) ? $"{(key.IsList ? "list of objects" : "object")}: [below](#{Anchor(path)})"
            : _sections.FirstOrDefault(section => section.Type == key.Type) is { } same ? $"{(key.IsList ? "list of objects" : "object")} as [`{same.Path}`](#{Anchor(same.Path)})"
            : "only `null`: the images of a configuration have none";
    }

    private static string Default(OptionKey key) => AllowedValues.IsNeeded(key) ? "needed" : key.Default switch
    {
        null => "`null`",
        string text => $"`\"{text}\"`",
        bool value => value ? "`true`" : "`false`",
        Enum name => $"`\"{OptionSection.CamelCase(name.ToString())}\"`",
        IFormattable number => $"`{number.ToString(null, CultureInfo.InvariantCulture)}`",
        _ => key.IsList ? "`[]`" : "",
    };

    private string Summary(string member, OptionSection? here) => _comments.Summary(member, other => $"`{Reference(other, here)}`");

    /// <summary>A member as a reader of the file knows it: a key, a name, or else the member in C#.</summary>
    private string Reference(string member, OptionSection? here)
    {
        var name = member[2..].Split('(')[0];
        var (type, last) = (name[..name.LastIndexOf('.')], name[(name.LastIndexOf('.') + 1)..]);
        var section = here?.Type.FullName == type ? here : _sections.FirstOrDefault(each => each.Type.FullName == type);
        if (member[0] == 'P' && section?.Keys.FirstOrDefault(key => key.Property.Name == last) is { } found)
        {
            return section == here ? OptionSection.CamelCase(last) : found.Path;
        }

        var isName = member[0] == 'F' && _sections.Any(each => each.Keys.Any(key => key.Type.IsEnum && key.Type.FullName == type));
        return isName ? OptionSection.CamelCase(last) : member[0] == 'T' ? last : $"{type[(type.LastIndexOf('.') + 1)..]}.{last}";
    }

    /// <summary>The anchor of a heading, as GitHub makes it.</summary>
    private static string Anchor(string path) => path.Replace(".", "", StringComparison.Ordinal).Replace("[]", "", StringComparison.Ordinal).ToLowerInvariant();
}
