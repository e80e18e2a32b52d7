// libtorch's threads spin: test classes that run beside each other slow each other down manyfold.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
