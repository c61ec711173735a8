using Xunit.Sdk;

// Tests count native tensors, which are the whole process's: one test at a time.
[assembly: Xunit.v3.Parallelization(Mode = ParallelMode.None)]
