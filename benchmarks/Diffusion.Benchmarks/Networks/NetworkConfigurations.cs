namespace Diffusion.Benchmarks;

/// <summary>The configurations of compared networks as diffusers writes them (unet/config.json); what they leave out has the default of the class.</summary>
internal static class NetworkConfigurations
{
    /// <summary>A UNet2DModel for RGB images of 64×64 with attention at 16×16, heads of 8 features.</summary>
    public const string UNet2D64 = """
        {
          "_class_name": "UNet2DModel",
          "sample_size": 64,
          "in_channels": 3,
          "out_channels": 3,
          "layers_per_block": 2,
          "block_out_channels": [64, 128, 256],
          "down_block_types": ["DownBlock2D", "DownBlock2D", "AttnDownBlock2D"],
          "up_block_types": ["AttnUpBlock2D", "UpBlock2D", "UpBlock2D"],
          "attention_head_dim": 8,
          "norm_num_groups": 32
        }
        """;

    /// <summary>The smallest of the kind of <see cref="UNet2D64"/>.</summary>
    public const string SmallUNet2D = """
        {
          "_class_name": "UNet2DModel",
          "sample_size": 16,
          "in_channels": 3,
          "out_channels": 3,
          "layers_per_block": 1,
          "block_out_channels": [32, 64],
          "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
          "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
          "attention_head_dim": 8,
          "norm_num_groups": 32
        }
        """;

    /// <summary>A UNet2DConditionModel for latents of 4×32×32 with attention to vectors of 128 features, in eight heads at 32×32, 16×16 and the bottom.</summary>
    public const string UNet2DCondition = """
        {
          "_class_name": "UNet2DConditionModel",
          "sample_size": 32,
          "in_channels": 4,
          "out_channels": 4,
          "layers_per_block": 2,
          "block_out_channels": [64, 128, 256],
          "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
          "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
          "cross_attention_dim": 128,
          "attention_head_dim": 8,
          "norm_num_groups": 32
        }
        """;

    /// <summary>The smallest of the kind of <see cref="UNet2DCondition"/>.</summary>
    public const string SmallUNet2DCondition = """
        {
          "_class_name": "UNet2DConditionModel",
          "sample_size": 8,
          "in_channels": 4,
          "out_channels": 4,
          "layers_per_block": 1,
          "block_out_channels": [32, 64],
          "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
          "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
          "cross_attention_dim": 24,
          "attention_head_dim": 2,
          "norm_num_groups": 32
        }
        """;
}
