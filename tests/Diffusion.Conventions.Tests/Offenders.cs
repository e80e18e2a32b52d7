namespace Diffusion.Conventions.Tests;

/// <summary>How every convention is asserted: the failure lists all that break it.</summary>
internal static class Offenders
{
    public static void None(string convention, IEnumerable<string> offenders)
    {
        var all = offenders.Order(StringComparer.Ordinal).ToArray();
        Assert.True(all.Length == 0, $"{convention}\n  {string.Join("\n  ", all)}");
    }
}
