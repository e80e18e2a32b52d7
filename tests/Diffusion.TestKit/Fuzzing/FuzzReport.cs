namespace Diffusion;

/// <summary>What a reader did with damaged files.</summary>
/// <param name="Name">What was read.</param>
/// <param name="Files">How many files.</param>
/// <param name="Read">Files that were read: what was changed in them does not matter to the format.</param>
/// <param name="Refused">Files that ended with an error that says why.</param>
/// <param name="Failures">What must not be, with the number of the file: other errors, errors without a reason, too much memory, tensors left behind.</param>
/// <param name="LargestAllocation">The most managed bytes that a file took, and that file's size.</param>
public sealed record FuzzReport(
    string Name, int Files, int Read, int Refused, IReadOnlyList<string> Failures, (long Bytes, long FileSize) LargestAllocation)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"{Name}: {Files} files, {Read} read, {Refused} refused, {Failures.Count} failures; at most {LargestAllocation.Bytes:N0} bytes allocated (file of {LargestAllocation.FileSize:N0})";
}
