using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Sets of as many images, each with one fault, made of real images with labels 0 to 9: every second one is the reference, in place of training images; the others have the faults.</summary>
/// <param name="images">Real images, [N, C, H, W], uint8.</param>
/// <param name="labels">Their labels.</param>
/// <param name="count">The images of each set; at most a fifth of N.</param>
public sealed class SensitivitySets(Tensor images, IReadOnlyList<long> labels, int count)
{
    public const string Real = "other real images";
    public const string Blurred = "blurred (σ = 1 pixel)";
    public const string Noised = "noised (σ = 40 of 255)";
    public const string OneMissing = "one class of ten missing";
    public const string HalfMissing = "five classes of ten missing";
    public const string Collapsed = "a twentieth of the images, 20 times each";
    public const string Mislabelled = "every tenth label wrong";
    public const string Copies = "copies of the reference";
    public const string ChangedCopies = "copies with noise (σ = 8 of 255)";
    public const string ShiftedCopies = "copies, moved by one pixel";

    private const int Missing = 4;
    private const int HalfOfClasses = 5;
    private const int Classes = 10;
    private const int Repeats = 20;

    /// <summary>The names of the sets.</summary>
    public static IReadOnlyList<string> Names { get; } = [Real, Blurred, Noised, OneMissing, HalfMissing, Collapsed, Mislabelled, Copies, ChangedCopies, ShiftedCopies];

    /// <summary>The reference.</summary>
    public (Tensor Images, IReadOnlyList<long> Labels) Reference() => Take(Indices(0, _ => true));

    /// <summary>A set, for the caller to dispose.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    public (Tensor Images, IReadOnlyList<long> Labels) Create(string name)
    {
        var copies = name is Copies or ChangedCopies or ShiftedCopies;
        var (set, classes) = Take(copies ? Indices(0, _ => true) : name switch
        {
            OneMissing => Indices(1, label => label != Missing),
            HalfMissing => Indices(1, label => label < HalfOfClasses),
            Collapsed => [.. Indices(1, _ => true).Take(count / Repeats).SelectMany(i => Enumerable.Repeat(i, Repeats))],
            _ => Indices(1, _ => true),
        });
        return name switch
        {
            Blurred => (Changed(set, each => SpoiledImages.Blurred(each, 1)), classes),
            Noised => (Changed(set, each => SpoiledImages.Noised(each, 40)), classes),
            ChangedCopies => (Changed(set, each => SpoiledImages.Noised(each, 8)), classes),
            ShiftedCopies => (Changed(set, each => SpoiledImages.Shifted(each, 1)), classes),
            Mislabelled => (set, [.. classes.Select((label, i) => i % Classes == 0 ? (label + 1) % Classes : label)]),
            _ => (set, classes),
        };
    }

    private static Tensor Changed(Tensor set, Func<Tensor, Tensor> change)
    {
        using (set)
        {
            return change(set);
        }
    }

    private List<int> Indices(int first, Func<long, bool> wanted) => [.. Enumerable.Range(0, labels.Count).Where(i => i % 2 == first && wanted(labels[i])).Take(count)];

    private (Tensor Images, IReadOnlyList<long> Labels) Take(IReadOnlyList<int> indices)
    {
        using var index = tensor(indices.Select(i => (long)i).ToArray());
        return (images.index_select(0, index), [.. indices.Select(i => labels[i])]);
    }
}
