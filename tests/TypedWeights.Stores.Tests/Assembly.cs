using Xunit.Sdk;

// Tests set environment variables and count native tensors, which are the whole process's: one test at a time.
[assembly: Xunit.v3.Parallelization(Mode = ParallelMode.None)]
