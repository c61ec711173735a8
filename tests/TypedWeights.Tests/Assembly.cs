using Xunit.Sdk;

// Tests count native tensors, which are the whole process's: one test at a time.
[assembly: Parallelization(Mode = ParallelMode.None)]
