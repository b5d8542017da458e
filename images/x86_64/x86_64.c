/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pc, q35: what QEMU's PVH loader tells, the page tables, the serial port, the clock. */
#include "../bare/machine.h"
#include "io.h"
#include "timer.h"
#include "vcpus.h"

#define UART 0x3f8
#define UART_FIFO_CONTROL (UART + 2)
#define UART_LINE_CONTROL (UART + 3)
#define UART_LINE_STATUS (UART + 5)
#define LINE_8N1 0x03
#define FIFO_ENABLE 0x01
#define TRANSMITTER_EMPTY 0x20

#define E820_RAM 1
#define TABLE 0x3ul
#define LARGE_PAGE 0xe3ul
#define LARGE_PAGE_BYTES 0x200000ul
#define ENTRIES 512
#define DEVICES_END (4ul << 30) /* below it lies the local APIC */
#define MAPPED_BYTES (ENTRIES * ENTRIES * LARGE_PAGE_BYTES) /* 512 GiB; RAM beyond goes unused */

const char arch_name[] = "x86_64";

/* Xen: xen/include/public/arch-x86/hvm/start_info.h, version 1. */
struct start_info {
    uint32_t magic, version, flags, nr_modules;
    uint64_t modlist, cmdline, rsdp, memmap;
    uint32_t memmap_entries, reserved;
};

struct memmap_entry {
    uint64_t address, bytes;
    uint32_t type, reserved;
};

extern uint64_t page_tables[][ENTRIES];

uint64_t arch_clock(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

void arch_sleep(uint64_t ticks)
{
    timer_sleep(ticks);
}

unsigned arch_console_write(const char *text, unsigned length)
{
    if (!(inb(UART_LINE_STATUS) & TRANSMITTER_EMPTY))
        return 0;
    for (unsigned i = 0; i < length; i++) /* CONSOLE_CHUNK is what the FIFO holds */
        outb(UART, text[i]);
    return length;
}

void arch_flush_tlb(void)
{
    uint64_t cr3;

    __asm__ volatile("mov %%cr3, %0\n\tmov %0, %%cr3" : "=r"(cr3)::"memory");
}

/* Maps every address up to `end` to itself. */
static void map(uint64_t end)
{
    uint64_t *pml4 = page_tables[0], *pdpt = page_tables[1];
    uint64_t address = 0;

    for (unsigned i = 0; i < ENTRIES; i++) {
        uint64_t *directory = page_tables[2 + i];

        pml4[i] = i ? 0 : (uint64_t)pdpt | TABLE;
        pdpt[i] = address < end ? (uint64_t)directory | TABLE : 0;
        if (pdpt[i])
            for (unsigned j = 0; j < ENTRIES; j++, address += LARGE_PAGE_BYTES)
                directory[j] = address | LARGE_PAGE;
    }
    __asm__ volatile("mov %0, %%cr3" ::"r"(pml4) : "memory");
}

_Noreturn void boot(const struct start_info *info)
{
    static struct machine machine = { .command_line = "" };
    const struct memmap_entry *entry = (const struct memmap_entry *)info->memmap;
    uint64_t end = DEVICES_END;

    if (info->cmdline)
        machine.command_line = (const char *)info->cmdline;
    for (unsigned i = 0; i < info->memmap_entries; i++, entry++)
        if (entry->type == E820_RAM && entry->address + entry->bytes <= MAPPED_BYTES) {
            machine_add_ram(&machine, entry->address, entry->bytes);
            if (end < entry->address + entry->bytes)
                end = entry->address + entry->bytes;
        }
    map(end);
    outb(UART_LINE_CONTROL, LINE_8N1);
    outb(UART_FIFO_CONTROL, FIFO_ENABLE);
    machine.clock_hz = timer_tsc_hz();
    timer_start(machine.clock_hz);
    machine.vcpus = vcpus_of_machine(machine.clock_hz);
    run_dirtier(&machine);
}
