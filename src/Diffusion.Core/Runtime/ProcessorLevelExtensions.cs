namespace Diffusion;

/// <summary>Names of levels.</summary>
internal static class ProcessorLevelExtensions
{
    /// <summary>What a level is called in settings and reports.</summary>
    public static string ToSetting(this ProcessorLevel level) => level switch
    {
        ProcessorLevel.Avx512BFloat16 => "avx512bf16",
        ProcessorLevel.Avx512 => "avx512",
        ProcessorLevel.Avx2 => "avx2",
        _ => "plain",
    };
}
