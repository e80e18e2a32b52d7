using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;

namespace Diffusion.Build.Tests;

/// <summary>What an assembly and its symbols say of where and how they were built.</summary>
internal static class Assemblies
{
    /// <summary>Whether the compiler was told to make the same bytes of the same sources.</summary>
    public static bool IsDeterministic(byte[] assembly)
    {
        using var reader = new PEReader(new MemoryStream(assembly));
        return reader.ReadDebugDirectory().Any(entry => entry.Type == DebugDirectoryEntryType.Reproducible);
    }

    /// <summary>The path of the symbols that the assembly names.</summary>
    public static string SymbolPath(byte[] assembly)
    {
        using var reader = new PEReader(new MemoryStream(assembly));
        return reader.ReadCodeViewDebugDirectoryData(reader.ReadDebugDirectory().Single(entry => entry.Type == DebugDirectoryEntryType.CodeView)).Path;
    }

    /// <summary>The paths of the sources that symbols name, and whether the source itself is in them.</summary>
    public static IReadOnlyList<(string Path, bool Embedded)> Sources(byte[] symbols)
    {
        var embedded = new Guid("0E8A571B-6926-466E-B4AD-8AB04611F5FE"); // of the portable PDB format
        using var provider = MetadataReaderProvider.FromPortablePdbStream(new MemoryStream(symbols));
        var reader = provider.GetMetadataReader();
        return
        [
            .. from handle in reader.Documents
               let document = reader.GetDocument(handle)
               where !document.Name.IsNil
               select (reader.GetString(document.Name), reader.GetCustomDebugInformation(handle).Any(item => reader.GetGuid(reader.GetCustomDebugInformation(item).Kind) == embedded)),
        ];
    }

    /// <summary>Whether the bytes have a text, in UTF-8 as in metadata or in UTF-16 as in literals.</summary>
    public static bool Contains(byte[] bytes, string text) =>
        bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0 || bytes.AsSpan().IndexOf(Encoding.Unicode.GetBytes(text)) >= 0;
}
