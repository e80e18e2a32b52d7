using System.Globalization;
using System.Security.Cryptography;

namespace Diffusion;

/// <summary>
/// The seed of tests that sample what is too much for one run: another one in each run, so that runs together see it all; the environment variable <c>DIFFUSION_SEED</c> brings one back.
/// Whoever uses it says it in what fails.
/// </summary>
public static class TestSeed
{
    private const string Variable = "DIFFUSION_SEED";

    /// <summary>The seed of this process, at least 0.</summary>
    public static int Value { get; } = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given
        ? int.Parse(given, NumberStyles.None, CultureInfo.InvariantCulture)
        : RandomNumberGenerator.GetInt32(1_000_000);

    /// <summary>How to run the same again.</summary>
    public static string Hint => $"{Variable}={Value.ToString(CultureInfo.InvariantCulture)}";
}
