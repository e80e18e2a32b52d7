using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>The sums of the channels of images.</summary>
internal abstract class ChannelSums : ITileKernel<ChannelSums>
{
    public static ChannelSums Make<T, TVector>()
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector> => new Of<TVector>();

    /// <summary>The sum of each channel of images.</summary>
    /// <param name="images">A dense tensor [B, C, …], float32 or bfloat16.</param>
    /// <returns>[C], float32.</returns>
    public static Tensor OfAll(Tensor images) => TileKernel<ChannelSums>.For(multipliesNarrow: false).Add(images, withImages: false).All;

    /// <summary>The sum of each channel of images, of all and of each.</summary>
    /// <param name="images">A dense tensor [B, C, …], float32 or bfloat16.</param>
    /// <returns>[C] and [B, C], float32.</returns>
    public static (Tensor All, Tensor PerImage) OfAllAndEach(Tensor images)
    {
        var (all, ofImages) = TileKernel<ChannelSums>.For(multipliesNarrow: false).Add(images, withImages: true);
        return (all, ofImages!);
    }

    protected abstract (Tensor All, Tensor? PerImage) Add(Tensor images, bool withImages);

    private sealed unsafe class Of<TVector> : ChannelSums
        where TVector : unmanaged, IVector<TVector>
    {
        protected override (Tensor All, Tensor? PerImage) Add(Tensor images, bool withImages)
        {
            using var pointers = TensorMemory.Use();
            var (count, channels) = ((int)images.size(0), (int)images.size(1));
            var (all, ofImages, pixels) = (empty(channels, dtype: ScalarType.Float32), withImages ? empty(count, channels, dtype: ScalarType.Float32) : null, (int)(images.numel() / count / channels));
            var each = ofImages is null ? null : TensorMemory.Of<float>(ofImages);
            if (images.dtype == ScalarType.BFloat16)
            {
                Add(TensorMemory.Of<ushort>(images), count, channels, pixels, TensorMemory.Of<float>(all), each);
            }
            else
            {
                Add(TensorMemory.Of<float>(images), count, channels, pixels, TensorMemory.Of<float>(all), each);
            }

            return (all, ofImages);
        }

        private static void Add<T>(T* images, int count, int channels, int pixels, float* sums, float* ofImages)
            where T : unmanaged => TileWork.Run(channels, 0, (channel, _) =>
            {
                var total = 0.0;
                for (var image = 0; image < count; image++)
                {
                    var place = ((long)image * channels) + channel;
                    var sum = TileSums<TVector>.Of(images + (place * pixels), pixels);
                    total += sum;
                    if (ofImages != null)
                    {
                        ofImages[place] = (float)sum;
                    }
                }

                sums[channel] = (float)total;
            });
    }
}
