using System.IO.Compression;
using System.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests;

/// <summary>TorchScript files of networks of one class, as PyTorch lays them out.</summary>
internal static class ScriptFile
{
    private const byte NewObject = 0x81;
    private const byte False = 0x89;

    /// <summary>Bytes of a file.</summary>
    /// <param name="forward">The body of <c>forward(self, x: Tensor)</c>, indented by four blanks.</param>
    /// <param name="result">What it returns.</param>
    /// <param name="tensors">Attributes: parameters, or buffers where they are no float32.</param>
    public static byte[] Of(string forward, string result = "Tensor", params (string Name, Tensor Value)[] tensors)
    {
        var names = (bool buffers) => string.Concat(tensors.Where(item => item.Value.is_floating_point() != buffers).Select(item => $"\"{item.Name}\", "));
        var code = $"class Net(Module):\n  __parameters__ = [{names(false)}]\n  __buffers__ = [{names(true)}]\n{string.Concat(tensors.Select(item => $"  {item.Name} : Tensor\n"))}"
            + $"  training : bool\n  def forward(self: __torch__.Net,\n    x: Tensor) -> {result}:\n{forward}\n";
        using var memory = new MemoryStream();
        using (var archive = new ZipArchive(memory, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add(archive, "data.pkl", Pickle(tensors));
            Add(archive, "code/__torch__.py", Encoding.UTF8.GetBytes(code));
            Add(archive, "constants.pkl", [0x80, 2, (byte)')', (byte)'.']);
            Add(archive, "version", "4\n"u8);
            for (var i = 0; i < tensors.Length; i++)
            {
                Add(archive, $"data/{i}", tensors[i].Value.bytes);
            }
        }

        return memory.ToArray();
    }

    /// <summary>A file with another code in one place.</summary>
    public static byte[] Changed(string path, Func<string, string> change)
    {
        using var source = ZipFile.OpenRead(path);
        using var memory = new MemoryStream();
        using (var archive = new ZipArchive(memory, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var entry in source.Entries)
            {
                using var bytes = new MemoryStream();
                using (var stream = entry.Open())
                {
                    stream.CopyTo(bytes);
                }

                var content = entry.FullName.EndsWith(".py", StringComparison.Ordinal) ? Encoding.UTF8.GetBytes(change(Encoding.UTF8.GetString(bytes.ToArray()))) : bytes.ToArray();
                using var target = archive.CreateEntry(entry.FullName, CompressionLevel.NoCompression).Open();
                target.Write(content);
            }
        }

        return memory.ToArray();
    }

    private static void Add(ZipArchive archive, string name, ReadOnlySpan<byte> content)
    {
        using var stream = archive.CreateEntry($"net/{name}", CompressionLevel.NoCompression).Open();
        stream.Write(content);
    }

    private static byte[] Pickle((string Name, Tensor Value)[] tensors)
    {
        var bytes = new List<byte> { 0x80, 2 };
        Global("__torch__ Net");
        bytes.AddRange([(byte)')', NewObject, (byte)'}', (byte)'(']);
        for (var i = 0; i < tensors.Length; i++)
        {
            var (name, value) = tensors[i];
            Text(name);
            Global("torch._utils _rebuild_tensor_v2");
            bytes.AddRange("(("u8);
            Text("storage");
            Global(value.dtype == ScalarType.Int64 ? "torch LongStorage" : "torch FloatStorage");
            Text($"{i}");
            Text("cpu");
            Number(value.numel());
            bytes.AddRange("tQ"u8);
            Number(0);
            Numbers(value.shape);
            Numbers(value.stride());
            bytes.Add(False);
            Global("collections OrderedDict");
            bytes.AddRange(")RtR"u8);
        }

        Text("training");
        bytes.Add(False);
        bytes.AddRange("ub."u8);
        return [.. bytes];

        void Global(string name) => bytes.AddRange(Encoding.ASCII.GetBytes($"c{name.Replace(' ', '\n')}\n"));
        void Text(string text) => bytes.AddRange([(byte)'X', .. BitConverter.GetBytes(text.Length), .. Encoding.ASCII.GetBytes(text)]);
        void Number(long number) => bytes.AddRange([(byte)'J', .. BitConverter.GetBytes((int)number)]);
        void Numbers(long[] numbers)
        {
            bytes.Add((byte)'(');
            Array.ForEach(numbers, Number);
            bytes.Add((byte)'t');
        }
    }
}
