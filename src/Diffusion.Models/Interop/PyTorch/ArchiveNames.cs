namespace Diffusion.Models;

/// <summary>What a ZIP archive that is no file of <c>torch.save</c> is, by the names in it.</summary>
internal static class ArchiveNames
{
    private const int FewNames = 5;
    private const int MaximumLength = 60;

    private static readonly string[] s_weights = [".safetensors", ".bin", ".pth", ".pt", ".ckpt", "model_index.json"];

    /// <summary>What a file of TorchScript is called; <see langword="null"/> for other archives. It has a pickle like one of torch.save, of a program's objects.</summary>
    public static string? Program(IEnumerable<string> names) => names.Any(name => name.EndsWith("/constants.pkl", StringComparison.Ordinal) || name.Contains("/code/", StringComparison.Ordinal))
        ? "it is a TorchScript archive of torch.jit.save, a program with its weights; save the weights alone with Python: torch.save(torch.jit.load(\"FILE\").state_dict(), \"weights.pth\")"
        : null;

    /// <summary>What the archive is, and what it holds.</summary>
    public static string Describe(IReadOnlyCollection<string> names)
    {
        var what = names.Count == 0 ? "it is an empty ZIP archive"
            : names.All(name => name.EndsWith(".npy", StringComparison.Ordinal)) ? "it is an archive of NumPy's arrays (.npz), which is not read here; convert it to safetensors where it comes from"
            : names.Contains("[Content_Types].xml") ? "it is a document of an office program and no weights"
            : names.Any(name => name.EndsWith(".weights.h5", StringComparison.Ordinal)) ? "it is a network of Keras, which is not read here; convert it to safetensors where it comes from"
            : names.Any(name => s_weights.Any(end => name.EndsWith(end, StringComparison.OrdinalIgnoreCase))) ? "it is a ZIP archive of files of weights: unpack it, and give what it holds"
            : "it is a ZIP archive of something else";
        var shown = names.Take(FewNames).Select(name => name.Length <= MaximumLength ? name : name[..MaximumLength] + "…");
        return names.Count == 0 ? what : $"{what} (it holds {string.Join(", ", shown)}{(names.Count > FewNames ? $" and {names.Count - FewNames} more" : "")})";
    }
}
