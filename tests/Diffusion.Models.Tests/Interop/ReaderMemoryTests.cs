using System.Buffers.Binary;
using System.Text;
using TorchSharp;
using Xunit;

namespace Diffusion.Models.Tests;

/// <summary>Files that make as many objects of their bytes as the formats allow: memory stays in proportion.</summary>
public sealed class ReaderMemoryTests
{
    private const int Many = 200_000;

    // A pickle of empty dictionaries takes 94, one of lists 54, JSON 32 at most, a header of safetensors 20.
    private const long BytesForEachByte = 128;

    public static TheoryData<string> Names() => [.. Readers().Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Read_DenseFile_TakesMemoryInProportionToIt(string name)
    {
        using var folder = new TemporaryFolder();
        var (file, read) = Readers()[name];
        var path = folder.Write("dense.index.json", file);
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            read(path);
        }
        catch (Exception error) when (error is InvalidDataException or FileNotFoundException)
        {
            // Either will do.
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, BytesForEachByte * file.Length);
    }

    private static Dictionary<string, (byte[] File, Action<string> Read)> Readers() => new()
    {
        ["safetensors, tensors"] = (Header(Repeat(Many / 10, i => $"'{i}':{{'dtype':'U8','shape':[0],'data_offsets':[0,0]}}")), LoadSafetensors),
        ["safetensors, metadata"] = (Header("'__metadata__':{" + Repeat(Many, i => $"'{i}':''") + "}"), LoadSafetensors),
        ["safetensors, a long shape"] = (Header("'a':{'shape':[" + Repeat(Many, _ => "1") + "]}"), LoadSafetensors),
        ["pickle, lists"] = (PickleBytes.Zip([.. Enumerable.Repeat((byte)']', Many)]), Load),
        ["pickle, dictionaries"] = (PickleBytes.Zip([.. Enumerable.Repeat((byte)'}', Many)]), Load),
        ["pickle, marks"] = (PickleBytes.Zip([.. Enumerable.Repeat((byte)'(', Many)]), Load),
        ["pickle, memo"] = (PickleBytes.Zip([(byte)'N', .. Enumerable.Repeat((byte)0x94, Many)]), Load),
        ["shard index"] = (Json("'weight_map':{" + Repeat(Many, i => $"'{i}':'x'") + "}"), path => WeightFiles.Open(path).Dispose()),
        ["scheduler, βs"] = (Json("'_class_name':'DDPMScheduler','trained_betas':[" + Repeat(Many, _ => "0.1") + "]"), path => DiffusersScheduler.Parse(File.ReadAllText(path))),
    };

    private static void Load(string path) => PyTorchFile.Load(path).Dispose();

    private static void LoadSafetensors(string path) => Safetensors.Load(path).Dispose();

    private static string Repeat(int count, Func<int, string> item) => string.Join(',', Enumerable.Range(0, count).Select(item));

    private static byte[] Json(string entries) => Encoding.UTF8.GetBytes("{" + entries.Replace('\'', '"') + "}");

    private static byte[] Header(string entries)
    {
        var json = Json(entries);
        var prefix = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, json.Length);
        return [.. prefix, .. json];
    }
}
