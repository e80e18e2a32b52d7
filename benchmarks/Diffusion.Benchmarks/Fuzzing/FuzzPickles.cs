using System.IO.Compression;
using System.Text;
using Diffusion.Models;
using static TorchSharp.torch;

namespace Diffusion.Fuzzing;

/// <summary>PyTorch files with pickles that are whole in their form, and unusual in what they name, view and recall.</summary>
internal static class FuzzPickles
{
    private static readonly long[] s_numbers = [0, 1, 2, 3, 4, 5, 100, 1L << 31, 1L << 62, long.MaxValue, -1];

    // What can be recalled: a tensor, a text, a list of numbers, a tuple of these, a function, a dictionary, bytes.
    private const int Recalled = 9;

    /// <summary>Dictionaries in each other under unusual keys, with a tensor here and there.</summary>
    public static byte[] Names(Random random)
    {
        var pickle = new List<byte>();
        Nest(random, pickle, depth: 0);
        return Archive([.. pickle]);
    }

    /// <summary>Copies of recalled values, and containers full of them.</summary>
    public static byte[] Repeated(Random random)
    {
        var pickle = new List<byte>();
        Prelude(random, pickle);
        for (var i = random.Next(1, 20); i > 0; i--)
        {
            var piece = Piece(random);
            pickle.AddRange(Enumerable.Repeat(piece, random.Next(4) == 0 ? 2000 : random.Next(1, 20)).SelectMany(item => item));
        }

        return Archive([.. pickle, (byte)'h', 20]);
    }

    /// <summary>A tensor with sizes, strides and an offset of any numbers.</summary>
    public static byte[] Views(Random random)
    {
        long Number() => random.Next(3) > 0 ? random.Next(4) : s_numbers[random.Next(s_numbers.Length)];
        var rank = random.Next(0, 4);
        byte[] Tuple() => [(byte)'(', .. Enumerable.Range(0, random.Next(10) == 0 ? rank + 1 : rank).SelectMany(_ => Integer(Number())), (byte)'t'];
        return Archive(Tensor(random.Next(4) == 0 ? Number() : 4, Number(), Tuple(), Tuple()));
    }

    /// <summary>Reads a file, as it is and as the weights of a network.</summary>
    public static void Read(string path)
    {
        using var scope = NewDisposeScope();
        using var weights = WeightFiles.Open(path);
        using var tensors = weights.Load();
        FuzzKinds.Require(tensors.Values.Sum(tensor => tensor.numel() * tensor.element_size()) <= 16 * new FileInfo(path).Length, "copies of the tensors are far larger than the file");
        foreach (var tensor in tensors.Values.Take(100))
        {
            tensor.cpu().sum(); // all of it can be read
        }

        if (tensors.Count > 1000)
        {
            return;
        }

        using var network = WeightFiles.OpenNetwork(path);
        FuzzKinds.Require(network.Tensors.Count == weights.Tensors.Count || network.Notes.Count > 0, "tensors were left out without a word");
    }

    private static void Nest(Random random, List<byte> pickle, int depth)
    {
        string[] keys = ["model", "ema", "optimizer", "state_dict", "state", "param_groups", "shadow_params", "epoch", "a.weight", "_orig_mod.a", "module.b"];
        pickle.AddRange([(byte)'}', (byte)'(']);
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            pickle.AddRange(Text(random.Next(3) > 0 ? keys[random.Next(keys.Length)] : FuzzNames.Part(random) + i));
            switch (random.Next(depth > 3 ? 2 : 4))
            {
                case 0: pickle.AddRange(Tensor(4, 0, [(byte)'K', 2, (byte)'K', 2, 0x86], [(byte)'K', 2, (byte)'K', 1, 0x86])); break;
                case 1: pickle.Add((byte)'N'); break;
                default: Nest(random, pickle, depth + 1); break;
            }
        }

        pickle.Add((byte)'u');
    }

    private static void Prelude(Random random, List<byte> pickle)
    {
        byte[][] values =
        [
            Tensor(4, 0, [(byte)'K', 4, 0x85], [(byte)'K', 1, 0x85]), Text(new string('t', random.Next(1, 2000))), [(byte)']', (byte)'(', .. Enumerable.Repeat<byte[]>([(byte)'K', 1], 500).SelectMany(item => item), (byte)'e'],
            [(byte)'(', .. Enumerable.Repeat<byte[]>([(byte)'K', 1], 500).SelectMany(item => item), (byte)'t'], Global("torch", "Size"), Global("builtins", "set"), Global("collections", "Counter"),
            [(byte)'}', .. Text("k"), (byte)'N', (byte)'s'], [(byte)'C', 200, .. new byte[200]],
        ];
        foreach (var (i, value) in values.Index())
        {
            pickle.AddRange([.. value, (byte)'q', (byte)i, (byte)'0']);
        }

        pickle.AddRange([(byte)']', (byte)'q', 20]);
    }

    /// <summary>Makes something of recalled values, and drops it or puts it into the list 20.</summary>
    private static byte[] Piece(Random random)
    {
        byte[] value = random.Next(4) switch
        {
            0 => [(byte)'h', (byte)random.Next(Recalled)],
            1 => [(byte)'h', (byte)random.Next(4, 7), (byte)'h', (byte)random.Next(Recalled), 0x85, (byte)'R'],
            2 => [(byte)']', (byte)'(', (byte)'h', (byte)random.Next(Recalled), (byte)'h', 0, (byte)'e'],
            _ => [(byte)'h', 1, (byte)'h', (byte)random.Next(Recalled), 0x86],
        };
        return random.Next(3) > 0 ? [.. value, (byte)'0'] : [(byte)'h', 20, .. value, (byte)'a', (byte)'0'];
    }

    private static byte[] Text(string text) => [(byte)'X', .. BitConverter.GetBytes(Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    private static byte[] Global(string module, string name) => Encoding.UTF8.GetBytes($"c{module}\n{name}\n");

    private static byte[] Integer(long value) => [0x8A, 8, .. BitConverter.GetBytes(value)];

    private static byte[] Tensor(long count, long offset, byte[] size, byte[] stride) =>
    [
        .. Global("torch._utils", "_rebuild_tensor"), (byte)'(', (byte)'(', .. Text("storage"), .. Global("torch", "FloatStorage"), .. Text("0"), .. Text("cpu"), .. Integer(count), (byte)'t', (byte)'Q',
        .. Integer(offset), .. size, .. stride, (byte)'t', (byte)'R',
    ];

    private static byte[] Archive(byte[] pickle)
    {
        using var buffer = new MemoryStream();
        using (var archive = new ZipArchive(buffer, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, bytes) in new (string, byte[])[] { ("data.pkl", [0x80, 2, .. pickle, (byte)'.']), ("data/0", new byte[16]) })
            {
                using var stream = archive.CreateEntry("file/" + name, CompressionLevel.NoCompression).Open();
                stream.Write(bytes);
            }
        }

        return buffer.ToArray();
    }
}
