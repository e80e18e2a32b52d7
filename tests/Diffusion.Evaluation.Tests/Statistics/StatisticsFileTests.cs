using System.Buffers.Binary;
using System.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests;

public sealed class StatisticsFileTests : IDisposable
{
    private static readonly double[] s_mean = [1.5, -2];
    private static readonly double[] s_covariance = [4, 0.5, 0.5, 1];

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly TemporaryFolder _folder = new();

    /// <summary>Against NumPy as pytorch-fid calls it (tests/golden/README.md).</summary>
    [Fact]
    public void Read_OfTheRecordedFile_EqualsTheRecorded()
    {
        using var golden = Golden.Case("metrics/scripted_features");
        using var statistics = FeatureStatistics.Read(golden.File("stats.npz"));
        TensorAssert.Identical(golden["mu"], statistics.Mean, "mu");
        TensorAssert.Close(golden["sigma"], statistics.Covariance, 1e-18, 1e-15, "sigma");
        Assert.Null(statistics.Images);
        Assert.Equal("stats.npz", statistics.Source);
        using var ours = FeatureStatistics.Of(golden["features_f64"], "features");
        Assert.InRange(FrechetDistance.Between(ours, statistics).Value, 0, 1e-9);
        TensorAssert.Close(golden["sigma"], ours.Covariance, 1e-12, 1e-12, "sigma");
    }

    [Theory]
    [InlineData(12L, "MNIST train, digits-1")]
    [InlineData(null, "überall 数字 🙂")]
    public void Read_OfAWrittenFile_IsTheSame(long? images, string source)
    {
        using var statistics = new FeatureStatistics(TestFeatures.Normal(1, 1, 9)[0], cov(TestFeatures.Normal(2, 20, 9).t()), images, source);
        var path = _folder.File("a.npz");
        statistics.Write(path);
        using var again = FeatureStatistics.Read(path);
        TensorAssert.Identical(statistics.Mean, again.Mean, "mean");
        TensorAssert.Identical(statistics.Covariance, again.Covariance, "covariance");
        Assert.Equal((images, source), (again.Images, again.Source));
        again.Write(_folder.File("b.npz"));
        Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(_folder.File("b.npz")));
    }

    // What numpy.savez writes for the same, header by header.
    [Fact]
    public void Write_OfStatistics_WritesTheHeadersOfNumpy()
    {
        using var statistics = new FeatureStatistics(tensor(s_mean), tensor(s_covariance, [2, 2]), 7, "ab");
        var path = _folder.File("a.npz");
        statistics.Write(path);
        using var archive = System.IO.Compression.ZipFile.OpenRead(path);
        Assert.Equal(["mu.npy", "sigma.npy", "image_count.npy", "image_source.npy"], archive.Entries.Select(entry => entry.FullName));
        string[] expected =
        [
            "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }",
            "{'descr': '<i8', 'fortran_order': False, 'shape': (), }", "{'descr': '<U2', 'fortran_order': False, 'shape': (), }",
        ];
        foreach (var (entry, text) in archive.Entries.Zip(expected))
        {
            using var bytes = new MemoryStream();
            using (var stream = entry.Open())
            {
                stream.CopyTo(bytes);
            }

            var array = bytes.ToArray();
            Assert.Equal([0x93, .. "NUMPY"u8, 1, 0, 118, 0], array[..10]);
            Assert.Equal(text.PadRight(117) + "\n", Encoding.Latin1.GetString(array, 10, 118));
        }
    }

    [Theory]
    [InlineData("<f8", 1, 0)]
    [InlineData("<f8", 2, 8)]
    [InlineData("<f4", 3, 0)]
    [InlineData("<f2", 1, 0)]
    [InlineData(">f8", 1, 8)]
    [InlineData(">f4", 2, 0)]
    [InlineData(">f2", 1, 8)]
    [InlineData("=f8", 1, 0)]
    public void Read_OfEveryKindOfArray_IsTheSame(string type, int version, int method)
    {
        foreach (var zip64 in new[] { false, true })
        {
            Is(Written(Floats(type, "(2,)", s_mean, version), Floats(type, "(2, 2)", s_covariance, version), (ushort)method, zip64));
        }
    }

    /// <summary>A rank to the rounding of the file: 12 images have one of 11, and what float32 adds is none.</summary>
    [Theory]
    [InlineData("<f8", "rank 11 of 36 features")]
    [InlineData("<f4", "rank 11 (to the rounding of Float32) of 36 features")]
    public void Read_OfASingularCovariance_HasItsRank(string type, string remark)
    {
        using var images = FeatureStatistics.Of(TestFeatures.Normal(3, 400, 36), "images");
        using var few = FeatureStatistics.Of(TestFeatures.Normal(4, 12, 36), "few");
        using var read = FeatureStatistics.Read(Written(Floats("<f8", "(36,)", few.Mean.Doubles()), Floats(type, "(36, 36)", few.Covariance.Doubles())));
        var distance = FrechetDistance.Between(images, read);
        Assert.Equal($"the covariance of the reference is singular: {remark}", distance.Remark);
        Assert.Equal(FrechetDistance.Between(images, few).Value, distance.Value, 0.005);
        using var given = new FeatureStatistics(few.Mean, few.Covariance.to(ScalarType.Float32), null, "given");
        Assert.Equal("the covariance of the reference is singular: rank 11 (to the rounding of Float32) of 36 features", FrechetDistance.Between(images, given).Remark);
    }

    /// <summary>What rounding to float16 makes of good statistics stays readable: variances that have become 0 beside covariances that have not.</summary>
    [Fact]
    public void Read_OfRoundedVariances_IsNoMistake()
    {
        var path = Written(Floats("<f8", "(2,)", s_mean), Floats("<f2", "(2, 2)", [2e-8, 1.2e-4, 1.2e-4, 1]));
        using var statistics = FeatureStatistics.Read(path);
        Assert.Equal(0, statistics.Covariance[0, 0].item<double>());
        using var features = TestFeatures.Normal(5, 500, 4) * tensor(new[] { 1, 1, 1e-3, 1e-6 });
        features.narrow(1, 1, 1).copy_(features.narrow(1, 0, 1)); // one is the other
        using var exact = FeatureStatistics.Of(features, "exact");
        foreach (var type in new[] { "<f4", "<f2" })
        {
            using var rounded = FeatureStatistics.Read(Written(Floats("<f8", "(4,)", exact.Mean.Doubles()), Floats(type, "(4, 4)", exact.Covariance.Doubles())));
        }
    }

    [Fact]
    public void Read_OfFortranOrder_TakesColumnsForRows()
    {
        // Both sides of the diagonal, apart by what is allowed, so that the order can be seen.
        double[] rows = [4, 0.5, 0.50001, 1];
        var path = Written(Floats("<f8", "(2,)", s_mean), Array("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2), }", Bytes("<f8", s_covariance)));
        Is(path);
        using var stream = new MemoryStream(File.ReadAllBytes(Written(Floats("<f8", "(2,)", s_mean), Array("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2), }", Bytes("<f8", rows)))));
        using var archive = new System.IO.Compression.ZipArchive(stream);
        using var reader = new NpyReader(archive.Entries[1], stream.Length);
        Assert.Equal([4, 0.50001, 0.5, 1], reader.Floats());
    }

    [Theory]
    [InlineData("{\"descr\":\"<f8\",\"fortran_order\":False,\"shape\":(2,)}")]
    [InlineData("{ 'shape' : (2L,) , 'fortran_order' : True , 'descr' : '<f8' }   \n")]
    public void Read_OfOtherWaysToWriteAHeader_IsTheSame(string header) => Is(Written(Array(header, Bytes("<f8", s_mean)), Floats("<f8", "(2, 2)", s_covariance)));

    [Fact]
    public void Read_OfOtherArraysBesideThem_LeavesThemAlone()
    {
        var zip = new ZipWriter().Add("mu_s.npy", [1, 2, 3]).Add("sigma", Floats("<f8", "(2, 2)", s_covariance)).Add("mu.npy", Floats("<f8", "(2,)", s_mean)).Add("arr_0.npy", []);
        Is(_folder.Write("a.npz", zip.Finish()));
    }

    [Theory]
    [InlineData("<i4", 5, new byte[] { 5, 0, 0, 0 })]
    [InlineData(">i8", 258, new byte[] { 0, 0, 0, 0, 0, 0, 1, 2 })]
    [InlineData("|u1", 200, new byte[] { 200 })]
    public void Read_OfNumbersOfImages_TakesEveryType(string type, int images, byte[] bytes)
    {
        var zip = Both().Add("image_count.npy", Array($"{{'descr': '{type}', 'fortran_order': False, 'shape': (), }}", bytes))
            .Add("image_source.npy", Array("{'descr': '>U3', 'fortran_order': False, 'shape': (), }", [0, 0, 0, (byte)'a', 0, 0, 0, (byte)'b', 0, 0, 0, 0]));
        using var statistics = FeatureStatistics.Read(_folder.Write("a.npz", zip.Finish()));
        Assert.Equal((images, "ab"), (statistics.Images, statistics.Source));
    }

    /// <summary>Arrays that are refused, and why.</summary>
    public static TheoryData<string, byte[], string> Refusals { get; } = new()
    {
        { "mu", [], "ends too early" },
        { "mu", [1, 2, 3, 4, 5, 6, 7, 8, 9], "does not begin as an array of NumPy" },
        { "mu", Floats("<f8", "(2,)", s_mean, version: 4), "version 4" },
        { "mu", Floats("<f8", "(2,)", s_mean)[..^1], "has not the 15 bytes" },
        { "mu", [.. Floats("<f8", "(2,)", s_mean), 0], "has not the 17 bytes" },
        { "mu", Floats("<f8", "(2, 1)", s_mean), "has the shape [2, 1]; [D] is needed" },
        { "mu", Floats("<f8", "()", [1]), "has the shape []" },
        { "mu", Floats("<f8", "(0,)", []), "has the shape [0]" },
        { "mu", Floats("<f2", "(16384,)", new double[16384]), "has the shape [16384]; [D] is needed, D from 1 to 16383" },
        { "mu", Floats("<f8", "(4611686018427387904, 4)", s_mean), "an array <f8 [4611686018427387904, 4] has not the 16 bytes" },
        { "mu", Floats("<f8", "(99999999999999999999,)", s_mean), "a size is needed" },
        { "mu", Array("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", new byte[16]), "objects of Python" },
        { "mu", Array("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }", new byte[16]), "of type <i8; float16, float32 or float64 is needed" },
        { "mu", Array("{'descr': '<f16', 'fortran_order': False, 'shape': (2,), }", new byte[32]), "of type <f16" },
        { "mu", Array("{'descr': 'f', 'fortran_order': False, 'shape': (2,), }", new byte[16]), "type 'f' is not known" },
        { "mu", Array("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2,), }", new byte[16]), "several fields" },
        { "mu", Array("{'descr': '<f8', 'shape': (2,), }", new byte[16]), "lacks 'descr', 'fortran_order' or 'shape'" },
        { "mu", Array("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", new byte[16]), "'descr' that does not belong there, or twice" },
        { "mu", Array("{'descr': '<f8', 'fortran_order': 0, 'shape': (2,), }", new byte[16]), "True or False is needed" },
        { "mu", Array("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), } x", new byte[16]), "its end is needed" },
        { "mu", Array("{'descr': '<f8", new byte[16]), "a string is needed" },
        { "mu", Floats("<f8", "(2,)", [1, double.NaN]), "the mean of feature 1 is NaN" },
        { "sigma", Floats("<f8", "(3, 3)", new double[9]), "has the shape [3, 3]; [2, 2] is needed" },
        { "sigma", Floats("<f8", "(4,)", s_covariance), "has the shape [4]" },
        { "sigma", Floats("<f8", "(2, 2)", [4, 0.5, -0.5, 1]), "not symmetric: its element [1, 0] is -0.5, and [0, 1] is 0.5" },
        { "sigma", Floats("<f8", "(2, 2)", [4, 0, 0, -1]), "the variance of feature 1 is -1" },
        { "sigma", Floats("<f8", "(2, 2)", [0, 0.01, 0.01, 1]), "the covariance of features 1 and 0 is 0.01, more than their variances, 1 and 0, allow" },
        { "sigma", Floats("<f4", "(2, 2)", [0, 0.01, 0.01, 1]), "more than their variances, 1 and 0, allow" },
        { "sigma", Floats("<f8", "(2, 2)", [4, -2.1, -2.1, 1]), "the covariance of features 1 and 0 is -2.1, more than" },
        { "sigma", Floats("<f8", "(2, 2)", [double.PositiveInfinity, 0, 0, 1]), "has an element Infinity" },
        { "image_count", Array("{'descr': '<i8', 'fortran_order': False, 'shape': (), }", new byte[8]), "at least 1 image" },
        { "image_count", Array("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }", new byte[16]), "a whole number is needed" },
        { "image_count", Floats("<f8", "()", [5]), "a whole number is needed" },
        { "image_count", Array("{'descr': '<u8', 'fortran_order': False, 'shape': (), }", [255, 255, 255, 255, 255, 255, 255, 255]), "too large" },
        { "image_source", Floats("<f8", "()", [5]), "a string is needed" },
        { "image_source", Array("{'descr': '<U1', 'fortran_order': False, 'shape': (), }", [0, 0, 0, 0]), "it says nothing" },
        { "image_source", Array("{'descr': '<U1', 'fortran_order': False, 'shape': (), }", [0, 0, 0, 255]), "no valid text" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void Read_OfBadArrays_NamesFileArrayAndReason(string name, byte[] array, string reason)
    {
        foreach (var method in new ushort[] { 0, 8 })
        {
            var zip = new ZipWriter();
            zip.Add("mu.npy", name == "mu" ? array : Floats("<f8", "(2,)", s_mean), method);
            zip.Add("sigma.npy", name == "sigma" ? array : Floats("<f8", "(2, 2)", s_covariance), method);
            if (name is not ("mu" or "sigma"))
            {
                zip.Add(name + ".npy", array, method);
            }

            Refused(zip.Finish(), $"'{name}'", reason);
        }
    }

    [Fact]
    public void Read_OfBadArchives_NamesFileAndReason()
    {
        var mean = Floats("<f8", "(2,)", s_mean);
        var covariance = Floats("<f8", "(2, 2)", s_covariance);
        var good = Both().Finish();
        Refused(new ZipWriter().Add("sigma.npy", covariance).Add("other.npy", mean).Finish(), "has no array 'mu'; it has 'sigma', 'other'");
        Refused(new ZipWriter().Finish(), "has no array 'mu'; it has none");
        Refused(new ZipWriter().Add("mu.npy", mean).Add("mu", mean).Add("sigma.npy", covariance).Finish(), "has 2 arrays 'mu'");
        Refused(new ZipWriter().Add("mu.npy", mean, flags: 1).Add("sigma.npy", covariance).Finish(), "encrypted");
        Refused(new ZipWriter().Add("mu.npy", mean, method: 12).Add("sigma.npy", covariance).Finish(), "'mu' is refused");
        Refused(new ZipWriter().Add("mu.npy", mean, method: 8, size: 1L << 40, isZip64: true).Add("sigma.npy", covariance).Finish(), "'mu' is refused: it should have 1099511627776 bytes");
        Refused(new ZipWriter().Add("mu.npy", mean, method: 8, size: mean.Length + 8).Add("sigma.npy", covariance).Finish(), "'mu' is refused: an array");
        Refused(good[..^30], "its directory, which is at its end, is missing or damaged");
        Refused(mean, "a single array (.npy)");
        Refused("<html>no</html>"u8.ToArray(), "an HTML page");
        Refused([], "is empty");
        var damaged = (byte[])good.Clone();
        damaged[good.AsSpan().IndexOf(Bytes("<f8", s_mean)) + 3] ^= 1;
        Refused(damaged, "'mu' is refused: its check sum is another one");
        Assert.Throws<FileNotFoundException>(() => FeatureStatistics.Read(_folder.File("none.npz")));
        Assert.Throws<FileNotFoundException>(() => FeatureStatistics.Read(_folder.Path));
    }

    // Every byte of a file that is changed is seen, or does not matter; nothing else is thrown.
    [Fact]
    public void Read_OfDamagedFiles_NeverReadsOtherNumbers()
    {
        var good = Both().Finish();
        for (var i = 0; i < good.Length; i++)
        {
            var bytes = (byte[])good.Clone();
            bytes[i] ^= 0x11;
            var path = _folder.Write("damaged.npz", bytes);
            try
            {
                Is(path);
            }
            catch (InvalidDataException e)
            {
                Assert.Contains(path, e.Message, StringComparison.Ordinal);
            }

            path = _folder.Write("cut.npz", good.AsSpan(0, i));
            Assert.Contains(path, Assert.Throws<InvalidDataException>(() => FeatureStatistics.Read(path)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Constructor_OfBadStatistics_NamesWhatIsWrong()
    {
        Assert.Throws<ArgumentException>(() => new FeatureStatistics(tensor(s_mean), tensor(s_covariance, [2, 2]), 5, " "));
        Assert.Throws<ArgumentOutOfRangeException>(() => new FeatureStatistics(tensor(s_mean), tensor(s_covariance, [2, 2]), 0, "A"));
        Assert.Contains("has 9 elements; there are 4", Assert.Throws<ArgumentException>(() => new FeatureStatistics(zeros([3], dtype: ScalarType.Float64), tensor(s_covariance, [2, 2]), 5, "A")).Message, StringComparison.Ordinal);
        Assert.Contains("'covariance' is Float64 [4]", Assert.Throws<ArgumentException>(() => new FeatureStatistics(tensor(s_mean), tensor(s_covariance), 5, "A")).Message, StringComparison.Ordinal);
        Assert.Contains("not symmetric", Assert.Throws<ArgumentException>(() => new FeatureStatistics(tensor(s_mean), tensor(new double[] { 1, 0, 1, 1 }, [2, 2]), 5, "A")).Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    private static ZipWriter Both() => new ZipWriter().Add("mu.npy", Floats("<f8", "(2,)", s_mean)).Add("sigma.npy", Floats("<f8", "(2, 2)", s_covariance));

    private static byte[] Floats(string type, string shape, double[] values, int version = 1) =>
        Array($"{{'descr': '{type}', 'fortran_order': False, 'shape': {shape}, }}", Bytes(type, values), version);

    private static byte[] Array(string header, byte[] data, int version = 1)
    {
        var text = version == 3 ? Encoding.UTF8.GetBytes(header) : Encoding.Latin1.GetBytes(header);
        var length = new byte[version == 1 ? 2 : 4];
        length[0] = (byte)text.Length;
        return [0x93, .. "NUMPY"u8, (byte)version, 0, .. length, .. text, .. data];
    }

    private static byte[] Bytes(string type, double[] values) => [.. values.SelectMany(value =>
    {
        var bytes = new byte[type[2] - '0'];
        switch (bytes.Length)
        {
            case 2:
                BinaryPrimitives.WriteHalfLittleEndian(bytes, (Half)value);
                break;
            case 4:
                BinaryPrimitives.WriteSingleLittleEndian(bytes, (float)value);
                break;
            default:
                BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
                break;
        }

        return type[0] == '>' ? bytes.Reverse() : bytes;
    })];

    private static void Is(string path)
    {
        using var statistics = FeatureStatistics.Read(path);
        Assert.Equal(s_mean, statistics.Mean.Doubles());
        Assert.Equal(s_covariance, statistics.Covariance.Doubles());
        Assert.Null(statistics.Images);
    }

    private string Written(byte[] mean, byte[] covariance, ushort method = 0, bool isZip64 = false) =>
        _folder.Write("a.npz", new ZipWriter().Add("mu.npy", mean, method, isZip64).Add("sigma.npy", covariance, method, isZip64).Finish());

    private void Refused(byte[] file, params string[] reasons)
    {
        var path = _folder.Write("bad.npz", file);
        var message = Assert.Throws<InvalidDataException>(() => FeatureStatistics.Read(path)).Message;
        Assert.StartsWith($"'{path}' ", message, StringComparison.Ordinal);
        Assert.All(reasons, reason => Assert.Contains(reason, message, StringComparison.Ordinal));
    }
}
