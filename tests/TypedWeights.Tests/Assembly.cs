// Tests count native tensors, which are the whole process's: one test at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
