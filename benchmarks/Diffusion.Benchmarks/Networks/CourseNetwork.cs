using Diffusion.Models;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>The course's network.</summary>
internal sealed record CourseNetwork : ComparedNetwork
{
    /// <summary>Its settings.</summary>
    public required EagerUNetOptions Options { get; init; }

    /// <summary>The height and width of its images.</summary>
    public required int Size { get; init; }

    public override ImageShape Image => new(Options.ImageChannels, Size, Size);

    public override KeyMap Keys => KeyMap.Course;

    /// <summary>Of a size.</summary>
    public static CourseNetwork Of(ReferenceSize size) => new()
    {
        Name = ComparedNetworks.Course,
        What = "the course's network, 10.2 million parameters, for images of 28×28; its keys have no name before them",
        TrainBatch = size.TrainBatch,
        SampleBatch = size.SampleBatch,
        Options = size.Network,
        Size = size.Image,
    };

    public override nn.Module<Tensor, Tensor, Tensor> Ours() => UNetBuilder.From(Options.Ours(Size)).Build();

    public override nn.Module<Tensor, Tensor, Tensor> Eager() => new EagerUNet(Options);
}
