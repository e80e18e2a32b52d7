using System.Text;

namespace Diffusion.Models.Tests;

/// <summary>Configurations of networks that are damaged: read, or refused with a reason, and nothing else.</summary>
public sealed class NetworkConfigTests
{
    private const string Arguments = """{"image_size": 16, "in_channels": 3, "model_channels": 32, "out_channels": 6, "num_res_blocks": 1, "attention_resolutions": [2], "channel_mult": [1, 2], "num_classes": null, "dropout": 0.1}""";

    private static readonly string[] s_parts = ["null", "-1", "2147483647", "1e999", "\"\\ud800\"", "[]", "{}", "0.5", "true", "[[[", "1e-400", "99999999999"];

    [Fact]
    public void Parse_DamagedText_IsReadOrRefused()
    {
        using var golden = Golden.Case("diffusers_unet2d/u28_basic");
        var config = File.ReadAllText(golden.File("model/config.json"));
        var random = new Random(7);
        var read = 0;
        for (var i = 0; i < 2000; i++)
        {
            read += Reads(() => DiffusersUNet.Parse(Damage(config, random))) ? 1 : 0;
            read += Reads(() => OpenAIUNet.Parse(Damage(Arguments, random))) ? 1 : 0;
        }

        Assert.InRange(read, 1, 3900);
    }

    [Theory]
    [InlineData("{\"act_fn\": \"\\ud800\"}")]
    [InlineData("{\"\\ud800\": 1}")]
    [InlineData("{\"layers_per_block\": 2147483647}")]
    [InlineData("{\"dropout\": 1e999}")]
    [InlineData("")]
    public void Parse_Traps_AreRefused(string json) => Assert.Throws<InvalidDataException>(() => DiffusersUNet.Parse(json));

    private static bool Reads(Action read)
    {
        try
        {
            read();
            return true;
        }
        catch (InvalidDataException error)
        {
            Assert.NotEmpty(error.Message);
            return false;
        }
    }

    private static string Damage(string text, Random random)
    {
        var damaged = new StringBuilder(text);
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            var at = random.Next(damaged.Length);
            if (random.Next(3) == 0)
            {
                damaged[at] = (char)random.Next(32, 127);
            }
            else
            {
                var colon = damaged.ToString().IndexOf(':', at);
                var end = colon < 0 ? -1 : damaged.ToString().IndexOfAny([',', '}'], colon);
                _ = end < 0 ? damaged : damaged.Remove(colon + 1, end - colon - 1).Insert(colon + 1, s_parts[random.Next(s_parts.Length)]);
            }
        }

        return damaged.ToString();
    }
}
