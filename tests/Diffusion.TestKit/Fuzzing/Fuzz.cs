using System.Globalization;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Gives a reader damaged files: it must read each or say what is wrong, and take little memory.</summary>
public static class Fuzz
{
    private const int ShortestReason = 10;

    /// <summary>Runs a reader.</summary>
    /// <param name="target">The reader and its files.</param>
    /// <param name="count">How many files.</param>
    /// <param name="seed">What the damage depends on.</param>
    /// <param name="began">Told of each file, by its number, before it is read, and of −1 at the end.</param>
    public static FuzzReport Run(FuzzTarget target, int count, int seed, Action<int>? began = null)
    {
        using var folder = new TemporaryFolder();
        var failures = new List<string>();
        var (number, read, refused) = (0, 0, 0);
        (long Bytes, long FileSize) largest = default;
        foreach (var file in target.Files(count, seed))
        {
            var path = folder.Write("damaged", file);
            began?.Invoke(number);
            var tensors = Tensor.TotalCount;
            var before = GC.GetAllocatedBytesForCurrentThread();
            var error = Error(target, path);
            var bytes = GC.GetAllocatedBytesForCurrentThread() - before;
            largest = bytes > largest.Bytes ? (bytes, file.Length) : largest;
            (read, refused) = error is null ? (read + 1, refused) : (read, refused + 1);
            var problem = error is not null && !target.IsRefusal(error) ? error.ToString()
                : error?.Message.Length < ShortestReason ? $"no reason: {error.Message}"
                : number > 0 && bytes > target.BytesForAnyFile + (target.BytesForEachByte * file.Length) // the first file makes what is made once
                    ? string.Create(CultureInfo.InvariantCulture, $"{bytes:N0} bytes allocated for a file of {file.Length:N0}")
                : Tensor.TotalCount > tensors ? $"{Tensor.TotalCount - tensors} tensors left"
                : null;
            if (problem is not null)
            {
                failures.Add($"{target.Name}, seed {seed}, file {number}: {problem}");
            }

            number++;
        }

        began?.Invoke(-1);
        return new FuzzReport(target.Name, number, read, refused, failures, largest);
    }

    private static Exception? Error(FuzzTarget target, string path)
    {
        try
        {
            target.Read(path);
            return null;
        }
#pragma warning disable CA1031 // any error at all is what is looked for
        catch (Exception error)
#pragma warning restore CA1031
        {
            return error;
        }
    }
}
