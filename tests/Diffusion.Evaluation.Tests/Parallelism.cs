[assembly: CollectionBehavior(DisableTestParallelization = true)] // libtorch's threads spin: two tests at once make both many times slower
