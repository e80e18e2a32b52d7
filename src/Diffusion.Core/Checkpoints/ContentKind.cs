namespace Diffusion;

/// <summary>What a file is by its content.</summary>
internal enum ContentKind
{
    /// <summary>Nothing that is known here.</summary>
    Unknown,

    /// <summary>It begins like safetensors: the length of a header, and the header's brace.</summary>
    Safetensors,

    /// <summary>A ZIP archive, as <c>torch.save</c> writes them and others do.</summary>
    Zip,

    /// <summary>A pickle, as the older <c>torch.save</c> writes several of.</summary>
    Pickle,

    /// <summary>An index of shards: JSON with a "weight_map".</summary>
    ShardIndex,

    /// <summary>Other JSON.</summary>
    Json,

    /// <summary>A known format that holds no weights, or none that can be read here.</summary>
    Foreign,
}
