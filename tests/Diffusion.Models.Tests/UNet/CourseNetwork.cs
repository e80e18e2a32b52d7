using System.Text.Json;

namespace Diffusion.Models.Tests;

/// <summary>The network of a recorded case, with its recorded weights.</summary>
internal static class CourseNetwork
{
    public static UNet Of(GoldenCase golden, ImageShape image)
    {
        var config = golden.Constructor.GetProperty("model_config");
        var unet = UNetBuilder.From(UNetPresets.Course(
            image with { Channels = config.GetProperty("im_channels").GetInt32() },
            Integers("down_channels"),
            Integers("mid_channels"),
            [.. config.GetProperty("down_sample").EnumerateArray().Select(value => value.GetBoolean())],
            config.GetProperty("time_emb_dim").GetInt32(),
            config.GetProperty("num_down_layers").GetInt32(),
            config.GetProperty("num_mid_layers").GetInt32(),
            config.GetProperty("num_up_layers").GetInt32())).Build();
        Weights.Load(unet, KeyMap.Course.ToOurs(golden.WithPrefix("sd.")));
        return unet;

        int[] Integers(string name) => [.. config.GetProperty(name).EnumerateArray().Select(value => value.GetInt32())];
    }
}
