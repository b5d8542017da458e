/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Further vCPUs, started and woken by the local APIC (Intel SDM, volume 3, "MP initialization", "Local APIC"). */
#include "vcpus.h"

#include "../bare/machine.h"
#include "interrupts.h"
#include "io.h"

#define FW_CFG_SELECTOR 0x510 /* QEMU: docs/specs/fw_cfg.rst */
#define FW_CFG_DATA 0x511
#define FW_CFG_NB_CPUS 5

#define APIC 0xfee00000ul
#define APIC_END_OF_INTERRUPT 0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_COMMAND 0x300
#define APIC_ENABLE 0x1ff /* spurious interrupts are 255 */
#define TO_ALL_OTHERS 0xc0000
#define ASSERT 0x4000
#define INIT 0x500
#define STARTUP 0x600

#define TRAMPOLINE 0x8000ul /* free below 1 MiB, where a vCPU begins */
#define PAGE_SHIFT 12
#define INIT_WAIT_PER_S 100
#define STARTUP_WAIT_PER_S 5000

extern const char vcpu_trampoline[], vcpu_trampoline_end[];
void wake_interrupt(void);

volatile uint32_t vcpus_wanted, vcpu_next; /* of start.S */

static uint64_t clock_hz;

static void apic_write(unsigned offset, uint32_t value)
{
    *(volatile uint32_t *)(APIC + offset) = value;
}

static void wait(uint64_t ticks)
{
    for (uint64_t begin = arch_clock(); arch_clock() - begin < ticks;)
        ;
}

static void start(unsigned count)
{
    volatile char *trampoline = (volatile char *)TRAMPOLINE;

    for (unsigned i = 0; vcpu_trampoline + i < vcpu_trampoline_end; i++)
        trampoline[i] = vcpu_trampoline[i];
    vcpu_next = 1;
    vcpus_wanted = count;
    interrupt_set(WAKE_VECTOR, wake_interrupt);
    apic_write(APIC_COMMAND, TO_ALL_OTHERS | ASSERT | INIT);
    wait(clock_hz / INIT_WAIT_PER_S);
    /* Twice, as the manual has it: who has begun takes no notice of the second. */
    for (int i = 0; i < 2; i++) {
        apic_write(APIC_COMMAND, TO_ALL_OTHERS | ASSERT | STARTUP | TRAMPOLINE >> PAGE_SHIFT);
        wait(clock_hz / STARTUP_WAIT_PER_S);
    }
}

/* A vCPU comes here from start.S, with a stack. */
_Noreturn void vcpu_boot(unsigned vcpu)
{
    interrupts_load();
    apic_write(APIC_SPURIOUS, APIC_ENABLE);
    vcpu_main(vcpu);
}

/* What arrives between the look at the clock and here waits until interrupts are allowed, and ends the rest. */
static void rest(void)
{
    __asm__ volatile("sti; hlt; cli" ::: "memory");
}

static void wake(void)
{
    apic_write(APIC_COMMAND, TO_ALL_OTHERS | ASSERT | WAKE_VECTOR);
}

const struct vcpus *vcpus_of_machine(uint64_t hz)
{
    static struct vcpus vcpus = { .start = start, .rest = rest, .wake = wake };

    clock_hz = hz;
    outw(FW_CFG_SELECTOR, FW_CFG_NB_CPUS);
    vcpus.count = inb(FW_CFG_DATA);
    vcpus.count |= inb(FW_CFG_DATA) << 8;
    return &vcpus;
}
