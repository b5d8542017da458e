/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of interrupts, which all vCPUs share. */
#ifndef INTERRUPTS_H
#define INTERRUPTS_H

#define TIMER_VECTOR 32
#define WAKE_VECTOR 33

/* Has `handler`, which ends with iretq, called at an interrupt. */
void interrupt_set(unsigned vector, void (*handler)(void));

/* Has this vCPU use the table. */
void interrupts_load(void);

#endif
