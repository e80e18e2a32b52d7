using System.IO.Compression;
using System.Security.Cryptography;

namespace Diffusion.Imaging.Tests;

/// <summary>The files that the samples train on are the authors' own.</summary>
public sealed class MnistDataTests
{
    private static readonly string s_folder = Path.Combine(Root(), "samples", "data", "mnist");

    [Theory]
    [InlineData("train-images-idx3-ubyte.gz", "6bbc9ace898e44ae57da46a324031adb")]
    [InlineData("train-labels-idx1-ubyte.gz", "a25bea736e30d166cdddb491f175f624")]
    [InlineData("t10k-images-idx3-ubyte.gz", "2646ac647ad5339dbf082846283269ea")]
    [InlineData("t10k-labels-idx1-ubyte.gz", "27ae3e4e09519cfbb04c329615203637")]
    public void Files_Unpacked_HaveThePublishedMd5(string file, string expected)
    {
        using var stream = new GZipStream(File.OpenRead(Path.Combine(s_folder, file)), CompressionMode.Decompress);
#pragma warning disable CA5351 // MD5 is what the data set's users publish; it identifies, it does not protect
        Assert.Equal(expected, Convert.ToHexStringLower(MD5.HashData(stream)));
#pragma warning restore CA5351
    }

    [Fact]
    public void Open_Train_Has60000ImagesAndTheKnownLabels()
    {
        using var mnist = Mnist.Open(s_folder, Split.Train);
        Assert.Equal((60000, new ImageShape(1, 28, 28)), (mnist.Count, mnist.Shape));
        using var batch = mnist.Read([0, 1, 2, 3, 4]);
        Assert.Equal([5L, 0, 4, 1, 9], batch.Labels!.data<long>().ToArray());
        var means = batch.Images.mean([1, 2, 3]).data<float>().ToArray();
        Assert.InRange(means[0], -0.8f, -0.6f); // ink on black: far more −1 than 1
    }

    [Fact]
    public void Open_Test_Has10000Images()
    {
        using var mnist = Mnist.Open(s_folder, Split.Test);
        Assert.Equal(10000, mnist.Count);
        using var batch = mnist.Read([0, 1, 9999]);
        Assert.Equal([7L, 2, 6], batch.Labels!.data<long>().ToArray());
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Diffusion.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds Diffusion.sln.");
    }
}
