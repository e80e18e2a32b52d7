namespace Diffusion.Imaging;

/// <summary>What happens to files of a folder that cannot be read when it is opened.</summary>
public enum CorruptFiles
{
    /// <summary>Opening fails, and says which they are and why.</summary>
    Fail = 0,

    /// <summary>They are left out and listed in <see cref="ImageFolder.SkippedFiles"/>; opening fails where nothing, or nothing of a class, is left.</summary>
    Skip = 1,
}
