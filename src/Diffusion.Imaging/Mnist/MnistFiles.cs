namespace Diffusion.Imaging;

/// <summary>Finds, reads and checks the files of MNIST.</summary>
internal static class MnistFiles
{
    /// <summary>Reads the images or the labels of a split, whichever of the four spellings of the name is there.</summary>
    public static IdxFile Read(string folder, Split split, string content, string type)
    {
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"The folder {folder} with the MNIST files does not exist.");
        }

        var name = Find(folder, split, content, type)
            ?? throw new FileNotFoundException(
                $"{folder} holds no MNIST {split} {content}: one of {string.Join(", ", Names(split, content, type))} is needed.",
                Path.Combine(folder, Names(split, content, type)[^2]));
        return IdxFile.Read(Path.Combine(folder, name));
    }

    /// <summary>The spelling of the name that is there, or null.</summary>
    public static string? Find(string folder, Split split, string content, string type) =>
        Array.Find(Names(split, content, type), name => File.Exists(Path.Combine(folder, name)));

    /// <summary>Images of [N, H, W], N labels below the number of classes, none of the sizes 0.</summary>
    public static void Check(IdxFile images, IdxFile labels, int classes)
    {
        if (images.Dimensions.Count != 3)
        {
            throw new InvalidDataException($"{images.Path}: has {images.Dimensions.Count} dimension(s); images have 3, [N, H, W].");
        }

        if (labels.Dimensions.Count != 1)
        {
            throw new InvalidDataException($"{labels.Path}: has {labels.Dimensions.Count} dimension(s); labels have 1, [N].");
        }

        if (images.Values.Length == 0)
        {
            throw new InvalidDataException(
                $"{images.Path}: holds {string.Join("×", images.Dimensions)} pixels; at least one image of one pixel is needed.");
        }

        if (images.Dimensions[0] != labels.Dimensions[0])
        {
            throw new InvalidDataException(
                $"{images.Path} holds {images.Dimensions[0]} images, "
                + $"{labels.Path} holds {labels.Dimensions[0]} labels; they must be as many.");
        }

        var wrong = labels.Values.IndexOfAnyExceptInRange((byte)0, (byte)(classes - 1));
        if (wrong >= 0)
        {
            throw new InvalidDataException($"{labels.Path}: label {wrong} is {labels.Values[wrong]}; labels are in [0, {classes}).");
        }
    }

    private static string[] Names(Split split, string content, string type)
    {
        Guard.Split(split, nameof(split));
        var start = split == Split.Train ? "train" : "t10k";
        string[] names = [$"{start}-{content}-{type}-ubyte", $"{start}-{content}.{type}-ubyte"];
        return [.. names, .. names.Select(name => name + ".gz")];
    }
}
