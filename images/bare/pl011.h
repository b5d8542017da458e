/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PL011 serial port of both Arm `virt` machines, for writing (Arm DDI 0183; its address: QEMU, hw/arm/virt.c). */
#ifndef PL011_H
#define PL011_H

#include <stdint.h>

#define UART ((uintptr_t)0x09000000)
#define UART_DATA (UART + 0x00)
#define UART_FLAGS (UART + 0x18)
#define UART_LINE_CONTROL (UART + 0x2c)
#define UART_CONTROL (UART + 0x30)
#define FLAG_TRANSMIT_FULL 0x20
#define LINE_8N1_FIFO 0x70
#define CONTROL_ENABLE_TRANSMIT 0x101

static inline volatile uint32_t *pl011_port(uintptr_t address)
{
    return (volatile uint32_t *)address;
}

static inline void pl011_start(void)
{
    *pl011_port(UART_LINE_CONTROL) = LINE_8N1_FIFO;
    *pl011_port(UART_CONTROL) = CONTROL_ENABLE_TRANSMIT;
}

static inline unsigned pl011_write(const char *text, unsigned length)
{
    unsigned written = 0;

    while (written < length && !(*pl011_port(UART_FLAGS) & FLAG_TRANSMIT_FULL))
        *pl011_port(UART_DATA) = text[written++];
    return written;
}

#endif
