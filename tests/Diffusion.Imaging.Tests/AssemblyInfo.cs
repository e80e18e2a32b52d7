// Every test calls libtorch, whose threads fight with those of a parallel test.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
