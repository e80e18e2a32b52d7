using BenchmarkDotNet.Attributes;
using Diffusion.Imaging;

namespace Diffusion.Benchmarks;

/// <summary>Images of 28×28 from files, on the CPU: opening a data set, reading a batch in random order, reading it a second time.</summary>
public class DataLoadingBenchmarks
{
    private DataFiles _files = null!;
    private Mnist _idx = null!;
    private ImageFolder _folder = null!;
    private int[] _indices = null!;

    /// <summary>The images of a batch.</summary>
    public static IEnumerable<int> Batches => SuiteParameters.Some(64);

    /// <summary>The images of the data set.</summary>
    public static IEnumerable<int> Counts => [SuiteParameters.Quick ? 64 : 4096];

    /// <summary>The images of a batch.</summary>
    [ParamsSource(nameof(Batches))]
    public int Batch { get; set; }

    /// <summary>The images of the data set.</summary>
    [ParamsSource(nameof(Counts))]
    public int Images { get; set; }

    /// <summary>Writes the files.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _files = new DataFiles(Images);
        _idx = Mnist.Open(_files.Idx, Split.Train);
        _folder = ImageFolder.Open(_files.Pictures, Options);
        var random = new Random(1);
        _indices = [.. Enumerable.Range(0, Batch).Select(_ => random.Next(Images))];
    }

    /// <summary>All images of the IDX files.</summary>
    [Benchmark]
    public void OpenIdx() => Mnist.Open(_files.Idx, Split.Train).Dispose();

    /// <summary>A batch of them.</summary>
    [Benchmark]
    public void ReadIdx() => _idx.Read(_indices).Dispose();

    /// <summary>The list of the PNG files.</summary>
    [Benchmark]
    public void OpenPngFolder() => ImageFolder.Open(_files.Pictures, Options).Dispose();

    /// <summary>A batch of them, kept from the first reading where the memory limit allows.</summary>
    [Benchmark]
    public void ReadPngFolder() => _folder.Read(_indices).Dispose();

    /// <summary>The list, and a batch that is decoded.</summary>
    [Benchmark]
    public void OpenAndDecodePng()
    {
        using var folder = ImageFolder.Open(_files.Pictures, Options);
        folder.Read(_indices).Dispose();
    }

    /// <summary>Deletes the files.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _folder.Dispose();
        _idx.Dispose();
        _files.Dispose();
    }

    private static ImageFolderOptions Options => new() { Channels = 1, Height = 28, Width = 28 };
}
