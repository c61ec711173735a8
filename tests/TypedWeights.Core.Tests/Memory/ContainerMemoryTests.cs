using TypedWeights.Memory;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Tests.Memory;

/// <summary>Reads of a system of a test's own: folders that look like those of /proc and /sys.</summary>
public sealed class ContainerMemoryTests : IDisposable
{
    private const string Mount2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw";
    private const string Mount1 = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory";
    private const string Unlimited1 = "9223372036854771712";

    private readonly TempFolder _root = new();

    public ContainerMemoryTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "control groups are Linux's");
        Write("proc/meminfo", "MemTotal: 100 kB\nSwapTotal: 0 kB\nSwapFree:           0 kB\n");
    }

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Free_memory_is_the_limit_minus_the_used_memory_without_the_page_cache()
    {
        Write("proc/self/mountinfo", Mount2);
        Write("proc/self/cgroup", "0::/app");
        Group2("app", "1000000", 700_000, active: 100_000, inactive: 200_000);

        ContainerMemory found = ContainerMemory.Read(_root.Path)!;

        Assert.Equal(("/sys/fs/cgroup/app/memory.max", 1_000_000L, 400_000L, 600_000L), (found.Where, found.Limit, found.Used, found.Free));
    }

    [Fact]
    public void The_control_group_with_the_least_free_memory_sets_the_limit()
    {
        Write("proc/self/mountinfo", Mount2);
        Write("proc/self/cgroup", "0::/outer/middle/inner");
        Group2("outer", "5000", 4500);
        Group2("outer/middle", "4000", 100);
        Group2("outer/middle/inner", "max", 100);

        Assert.Equal(("/sys/fs/cgroup/outer/memory.max", 500L), (ContainerMemory.Read(_root.Path)!.Where, ContainerMemory.Read(_root.Path)!.Free));
    }

    [Fact]
    public void Version_1_control_groups_are_read_with_the_totals_over_their_inner_groups()
    {
        Write("proc/self/mountinfo", "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n" + Mount1);
        Write("proc/self/cgroup", "5:cpu,cpuacct:/other\n4:hugetlb,memory:/box\n0::/");
        Group1("", Unlimited1, 50);
        Group1("box", "8000", 3000, total: 1000);

        ContainerMemory found = ContainerMemory.Read(_root.Path)!;

        Assert.Equal(("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", 6000L), (found.Where, found.Free));
    }

    [Theory]
    [InlineData("/docker/abc", "/docker/abc", "")]
    [InlineData("/docker/abc", "/docker/abc/inner", "/inner")]
    [InlineData("/docker/abc", "/elsewhere", "")]
    [InlineData("/", "/../../outside", "")]
    public void The_group_of_a_container_that_sees_only_a_part_of_the_hierarchy_is_found(string mounted, string path, string folder)
    {
        Write("proc/self/mountinfo", $"36 35 0:26 {mounted} /sys/fs/my\\040groups rw - cgroup2 cgroup2 rw");
        Write("proc/self/cgroup", "0::" + path);
        Write($"sys/fs/my groups{folder}/memory.max", "300");
        Write($"sys/fs/my groups{folder}/memory.current", "100");
        Write($"sys/fs/my groups{folder}/memory.stat", "");

        Assert.Equal(200, ContainerMemory.Read(_root.Path)!.Free);
    }

    [Theory]
    [InlineData("400", "100", 1000, 300)]
    [InlineData("max", "100", 1000, 1000)]
    [InlineData("0", "0", 1000, 0)]
    [InlineData("400", "100", 50, 50)]
    public void Free_swap_is_the_smaller_of_what_the_group_may_use_and_what_the_machine_has(string limit, string used, long freeKilobytes, long swap)
    {
        // In kilobytes throughout, so that the machine's number has the same unit.
        Write("proc/meminfo", $"SwapFree: {freeKilobytes} kB\n");
        Write("proc/self/mountinfo", Mount2);
        Write("proc/self/cgroup", "0::/app");
        Group2("app", "1024000", 0);
        Write("sys/fs/cgroup/app/memory.swap.max", limit == "max" ? limit : limit + "000");
        Write("sys/fs/cgroup/app/memory.swap.current", used + "000");

        long found = ContainerMemory.Read(_root.Path)!.Swap;
        Assert.Equal(limit == "max" || freeKilobytes == 50 ? swap * 1024 : swap * 1000, found);
    }

    [Theory]
    [InlineData("max")]
    [InlineData("nonsense")]
    [InlineData("")]
    [InlineData("99999999999999999999999")]
    public void A_missing_or_unreadable_limit_sets_no_limit(string limit)
    {
        Write("proc/self/mountinfo", Mount2);
        Write("proc/self/cgroup", "0::/app");
        Group2("app", limit, 100);

        Assert.Null(ContainerMemory.Read(_root.Path));
    }

    [Fact]
    public void A_system_without_control_groups_sets_no_limit()
    {
        Assert.Null(ContainerMemory.Read(_root.Path));
        Write("proc/self/mountinfo", "garbage\n\n- - -\n" + Mount1);
        Write("proc/self/cgroup", "garbage\n1:name=systemd:/");
        Assert.Null(ContainerMemory.Read(_root.Path));
    }

    [Fact]
    public void The_error_of_a_load_that_does_not_fit_names_the_source_of_the_limit_and_the_remedies()
    {
        var bound = MemoryBound.In(() => new ContainerMemory("/sys/fs/cgroup/memory.max", 300L << 20, 100L << 20, 0));
        var need = new MemoryNeed(250L << 20, 1000);

        var error = Assert.Throws<MemoryLimitException>(() => need.ThrowIfBeyond("m.safetensors", new(), bound, isRemote: false));

        Assert.Equal(184L << 20, error.Limit);
        Assert.Equal(
            "m.safetensors: 262,144,000 bytes for tensors and 1,000 for buffers, 262,145,000 in all: more than the 192,937,984 that this container "
                + "leaves (/sys/fs/cgroup/memory.max allows 314,572,800, and 104,857,600 are in use). Give the container more memory, map the file "
                + "(Storage = TensorStorage.Mapped), or select fewer tensors (Filter, in an untyped load).",
            error.Message);
        new MemoryNeed(184L << 20, 0).ThrowIfBeyond("m", new(), bound, isRemote: false);
    }

    private void Group2(string path, string limit, long current, long active = 0, long inactive = 0)
    {
        Write($"sys/fs/cgroup/{path}/memory.max", limit);
        Write($"sys/fs/cgroup/{path}/memory.current", $"{current}\n");
        Write($"sys/fs/cgroup/{path}/memory.stat", $"anon 5\nfile 999\nactive_file {active}\ninactive_file {inactive}\n");
    }

    private void Group1(string path, string limit, long usage, long total = 0)
    {
        Write($"sys/fs/cgroup/memory/{path}/memory.limit_in_bytes", limit);
        Write($"sys/fs/cgroup/memory/{path}/memory.usage_in_bytes", $"{usage}\n");
        Write($"sys/fs/cgroup/memory/{path}/memory.stat", $"active_file 7\ntotal_active_file {total / 2}\ntotal_inactive_file {total / 2}\n");
    }

    [Fact]
    public void A_load_of_mapped_tensors_fits_into_a_full_container()
    {
        var bound = MemoryBound.In(() => new ContainerMemory("/sys/fs/cgroup/memory.max", 80L << 20, 79L << 20, 0));

        new MemoryNeed(0, 368).ThrowIfBeyond("m", new(), bound, isRemote: false, mayMap: false);
        Assert.Throws<MemoryLimitException>(() => new MemoryNeed(1 << 20, 368).ThrowIfBeyond("m", new(), bound, isRemote: false));
    }

    [Fact]
    public void The_memory_of_the_container_is_read_once_and_only_for_more_than_a_mebibyte()
    {
        int asked = 0;
        var bound = MemoryBound.In(() =>
        {
            asked++;
            return new ContainerMemory("/sys/fs/cgroup/memory.max", 80L << 20, 79L << 20, 0);
        });

        new MemoryNeed(1 << 19, 1 << 19).ThrowIfBeyond("m", new(), bound, isRemote: false);
        new HeaderBudget(bound).Take("m", 1 << 20, "a header");
        Assert.Equal(0, asked);

        Assert.Throws<MemoryLimitException>(() => new MemoryNeed(1 << 20, 1).ThrowIfBeyond("m", new(), bound, isRemote: false));
        Assert.Throws<MemoryLimitException>(() => new HeaderBudget(bound).Take("m", (1 << 20) + 1, "a header"));
        Assert.Equal(1, asked);
    }

    [Theory]
    [InlineData(1 << 20, false, "map the file", "fewer tensors")]
    [InlineData(1 << 20, true, "fewer tensors", "map the file")]
    [InlineData(0, false, "Give the container more memory.", "fewer tensors")]
    public void The_error_of_a_load_that_does_not_fit_gives_only_advice_that_helps(long tensors, bool isMapped, string advice, string useless)
    {
        var bound = MemoryBound.In(() => new ContainerMemory("/sys/fs/cgroup/memory.max", 80L << 20, 79L << 20, 0));

        var error = Assert.Throws<MemoryLimitException>(
            () => new MemoryNeed(tensors, (1 << 20) + 1).ThrowIfBeyond("m", new(), bound, isRemote: false, mayMap: !isMapped));

        Assert.Contains(advice, error.Message, StringComparison.Ordinal);
        Assert.Equal(advice == "map the file", error.Message.Contains(useless, StringComparison.Ordinal));
    }

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root[path])!);
        File.WriteAllText(_root[path], text);
    }
}
