/* Reads a file into memory with several pread threads, as fast as the machine allows. The loader is compared with it.
 *
 *   cc -O2 -pthread pread.c -o pread && ./pread FILE huge|small|touched THREADS
 *
 * huge     fresh memory, madvise(MADV_HUGEPAGE)
 * small    fresh memory, madvise(MADV_NOHUGEPAGE): pages of 4 KiB
 * touched  memory that was written to before the clock starts
 *
 * Prints the seconds from the allocation (touched: from the first read) to the last byte. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PART = 8 << 20, HUGE_PAGE = 2 << 20 };

static int file;
static size_t length;
static char *memory;
static atomic_size_t next;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static void *run(void *unused) {
    (void)unused;
    for (size_t at; (at = atomic_fetch_add(&next, PART)) < length;) {
        size_t end = at + PART < length ? at + PART : length;
        while (at < end) {
            ssize_t got = pread(file, memory + at, end - at, at);
            if (got <= 0) {
                perror("pread");
                exit(1);
            }
            at += got;
        }
    }
    return NULL;
}

static char *allocate(int advice) {
    size_t whole = length + 2 * (size_t)HUGE_PAGE;
    char *start = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    start = (char *)(((uintptr_t)start + HUGE_PAGE - 1) & -(uintptr_t)HUGE_PAGE);
    if (madvise(start, length + HUGE_PAGE, advice) != 0) {
        perror("madvise");
        exit(1);
    }
    return start;
}

int main(int argc, char **argv) {
    int threads = argc == 4 ? atoi(argv[3]) : 0;
    pthread_t thread[64];
    struct stat facts;
    if (threads < 1 || threads > 64 || (file = open(argv[1], O_RDONLY)) < 0 || fstat(file, &facts) != 0) {
        fprintf(stderr, "pread FILE huge|small|touched THREADS\n");
        return 2;
    }
    length = facts.st_size;
    int touched = strcmp(argv[2], "touched") == 0;
    if (touched) {
        memory = allocate(MADV_HUGEPAGE);
        memset(memory, 1, length);
    }
    double start = now();
    if (!touched) memory = allocate(strcmp(argv[2], "huge") == 0 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    for (int i = 0; i < threads; i++) pthread_create(&thread[i], NULL, run, NULL);
    for (int i = 0; i < threads; i++) pthread_join(thread[i], NULL);
    printf("%.6f\n", now() - start);
    return 0;
}
