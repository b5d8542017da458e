/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "timer.h"

#define GIC_DISTRIBUTOR 0x08000000ul /* QEMU: hw/arm/virt.c */
#define GIC_CPU_INTERFACE 0x08010000ul
#define GICD_CTLR (GIC_DISTRIBUTOR + 0x000)
#define GICD_ISENABLER0 (GIC_DISTRIBUTOR + 0x100)
#define GICC_CTLR (GIC_CPU_INTERFACE + 0x0)
#define GICC_PMR (GIC_CPU_INTERFACE + 0x4)
#define VIRTUAL_TIMER_INTERRUPT 27
#define LOWEST_PRIORITY 0xff
#define GIC_SYSTEM_REGISTERS (0xful << 24) /* a GICv3 or later */
#define TIMER_ENABLE 1ul

static int can_rest;

static void set(uint64_t address, uint32_t value)
{
    *(volatile uint32_t *)address = value;
}

void timer_start(void)
{
    uint64_t features;

    __asm__("mrs %0, id_aa64pfr0_el1" : "=r"(features));
    can_rest = !(features & GIC_SYSTEM_REGISTERS);
    if (!can_rest)
        return;
    set(GICD_ISENABLER0, 1u << VIRTUAL_TIMER_INTERRUPT);
    set(GICD_CTLR, 1);
    set(GICC_PMR, LOWEST_PRIORITY);
    set(GICC_CTLR, 1);
}

void timer_sleep(uint64_t ticks)
{
    if (!can_rest)
        return;
    /* A pending interrupt ends WFI although interrupts stay masked; the next CVAL takes it back. */
    __asm__ volatile("msr cntv_tval_el0, %0\n\t"
                     "msr cntv_ctl_el0, %1\n\t"
                     "isb\n\t"
                     "wfi\n\t"
                     "msr cntv_ctl_el0, xzr" ::"r"(ticks),
                     "r"(TIMER_ENABLE)
                     : "memory");
}
