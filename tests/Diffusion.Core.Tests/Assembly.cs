// xunit's threads and libtorch's would fight for the processor.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
