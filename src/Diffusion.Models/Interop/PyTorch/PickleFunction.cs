namespace Diffusion.Models;

/// <summary>The functions that a pickle may call here. Their code is in <see cref="PickleCalls"/>: nothing of the file is ever run.</summary>
internal enum PickleFunction
{
    OrderedDict,
    Counter,
    Set,
    Bytes,
    ByteArray,
    Encode,
    Complex,
    Layout,
    RebuildTensor,
    RebuildOlderTensor,
    RebuildParameter,
    RebuildParameterWithState,
    RebuildFromType,
    Size,
    Device,
}
