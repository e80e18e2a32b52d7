using Diffusion.Models;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>From another project's weights to this library's, and back.</summary>
internal sealed record WeightDialect(
    Func<IReadOnlyDictionary<string, Tensor>, IReadOnlyDictionary<string, Tensor>> ToOurs,
    Func<IReadOnlyDictionary<string, Tensor>, IReadOnlyDictionary<string, Tensor>> ToTheirs)
{
    private const int FewNames = 10;

    /// <summary>A dialect of names alone; a name without a rule is an error.</summary>
    public static WeightDialect Of(KeyMap map) => new(tensors => Renamed(tensors, map, map.ToOurs), tensors => Renamed(tensors, map, map.ToTheirs));

    private static Dictionary<string, Tensor> Renamed(IReadOnlyDictionary<string, Tensor> tensors, KeyMap map, Func<string, string?> rename)
    {
        var unknown = tensors.Keys.Where(name => rename(name) is null).ToList();
        if (unknown.Count > 0)
        {
            throw new InvalidDataException(
                $"{map.Name}: the dialect has no rule for {unknown.Count} of {tensors.Count} names: {string.Join(", ", unknown.Take(FewNames))}{(unknown.Count > FewNames ? $" and {unknown.Count - FewNames} more" : "")}.");
        }

        return tensors.Keys.GroupBy(name => rename(name)!).FirstOrDefault(group => group.Count() > 1) is { } twice
            ? throw new InvalidDataException($"{map.Name}: several tensors would be called '{twice.Key}': {string.Join(", ", twice)}.")
            : tensors.ToDictionary(item => rename(item.Key)!, item => item.Value, StringComparer.Ordinal);
    }
}
