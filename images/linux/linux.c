/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dirtier as a program of a Linux guest: its region is memory as any program has it, scattered over the RAM. */
#include "../common/console.h"
#include "../common/page.h"
#include "../common/platform.h"
#include "../common/telemetry.h"
#include "syscall.h"

#define STANDARD_OUTPUT 1
#define CLOCK_MONOTONIC 1
#define NS_PER_S 1000000000ul
#define AT_FDCWD (-100)
#define AT_PAGESZ 6
#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_PRIVATE 0x02
#define MAP_ANONYMOUS 0x20
#define MAP_HUGETLB 0x40000
#define REGION_AT (1ul << 40) /* a multiple of every granule, where nothing else is */
#define PAGEMAP_PRESENT (1ul << 63)
#define PAGEMAP_FRAME ((1ul << 55) - 1)
#define MAX_COMMAND_LINE 1024
/* Above what Linux flushes page by page: 33 on x86, 256 on ppc64 (tlb_single_page_flush_ceiling). */
#define FLUSHED_PAGES 512

#if defined(__x86_64__)
const char arch_name[] = "linux-x86_64";
#elif defined(__powerpc64__)
const char arch_name[] = "linux-ppc64le";
#endif
const char place_keys[] = "hugepages=";

struct timespec {
    int64_t s, ns;
};

static uint64_t page_bytes;
static volatile char *flushed;

uint64_t arch_clock(void)
{
    struct timespec now;

    syscall(SYS_CLOCK_GETTIME, CLOCK_MONOTONIC, (long)&now, 0, 0, 0, 0);
    return now.s * NS_PER_S + now.ns;
}

void arch_sleep(uint64_t ticks)
{
    struct timespec rest = { ticks / NS_PER_S, ticks % NS_PER_S };

    syscall(SYS_NANOSLEEP, (long)&rest, 0, 0, 0, 0, 0);
}

/* Taking the right to write from the ends of a range so long makes Linux flush the whole TLB. */
void arch_flush_tlb(void)
{
    uint64_t length = FLUSHED_PAGES * page_bytes;

    flushed[0] = flushed[length - 1] = 1;
    syscall(SYS_MPROTECT, (long)flushed, length, PROT_READ, 0, 0, 0);
    syscall(SYS_MPROTECT, (long)flushed, length, PROT_READ | PROT_WRITE, 0, 0, 0);
}

unsigned arch_console_write(const char *text, unsigned length)
{
    long written = syscall(SYS_WRITE, STANDARD_OUTPUT, (long)text, length, 0, 0, 0);

    return is_error(written) ? 0 : written;
}

const struct vcpus *platform_vcpus(void)
{
    static const struct vcpus one = { .count = 1 };

    return &one;
}

int is_place_order(const struct order *order)
{
    return order_is(order, "hugepages");
}

int read_place_order(const struct order *order, struct orders *orders)
{
    return read_flag(order, &orders->hugepages);
}

static long map(uint64_t address, uint64_t bytes, int flags)
{
    return syscall(SYS_MMAP, address, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static uint64_t free_bytes(void)
{
    static uint64_t words[16]; /* struct sysinfo: 64-bit fields up to freeram, the sixth, in bytes */

    syscall(SYS_SYSINFO, (long)words, 0, 0, 0, 0, 0);
    return words[5];
}

int place_region(struct orders *orders)
{
    uint64_t available = free_bytes();

    if (!check_region(orders))
        return 0;
    if (!telemetry_physical()) {
        console_text("migdowntime: error: /proc/self/pagemap does not tell where memory lies, expected to be root\n");
        return 0;
    }
    if (!orders->hugepages && orders->region_bytes > available) {
        refuse_region(orders);
        console_text("at most the ");
        console_decimal(available);
        console_text(" bytes of free memory\n");
        return 0;
    }
    if ((uint64_t)map(REGION_AT, orders->region_bytes, orders->hugepages ? MAP_HUGETLB : 0) != REGION_AT) {
        refuse_region(orders);
        console_text(orders->hugepages ? "as many free hugepages in this guest\n" : "memory that can be mapped\n");
        return 0;
    }
    orders->region_start = REGION_AT;
    return 1;
}

uint64_t telemetry_physical(void)
{
    uint64_t address = (uint64_t)&telemetry, entry = 0;
    long file = syscall(SYS_OPENAT, AT_FDCWD, (long)"/proc/self/pagemap", 0, 0, 0, 0);

    if (is_error(file))
        return 0;
    syscall(SYS_PREAD, file, (long)&entry, sizeof(entry), address / page_bytes * sizeof(entry), 0, 0);
    return entry & PAGEMAP_PRESENT ? (entry & PAGEMAP_FRAME) * page_bytes + address % page_bytes : 0;
}

uint64_t region_physical(const struct orders *orders)
{
    (void)orders;
    return 0;
}

static void read_auxiliary(const uint64_t *entry)
{
    for (; entry[0]; entry += 2)
        if (entry[0] == AT_PAGESZ)
            page_bytes = entry[1];
}

_Noreturn void boot(uint64_t *stack)
{
    static char command_line[MAX_COMMAND_LINE];
    char **argument = (char **)stack + 1, *end = command_line;

    while (*argument)
        argument++;
    for (char **word = (char **)stack + 2; word < argument; word++) {
        for (const char *c = *word; *c && end < command_line + MAX_COMMAND_LINE - 2; c++)
            *end++ = *c;
        *end++ = ' ';
    }
    while (*++argument)
        ; /* the environment */
    read_auxiliary((uint64_t *)argument + 1);
    syscall(SYS_MLOCK, (long)&telemetry, PAGE_BYTES, 0, 0, 0, 0);
    flushed = (volatile char *)map(0, FLUSHED_PAGES * page_bytes, 0);
    dirtier(command_line, NS_PER_S);
}
