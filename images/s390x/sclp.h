/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The service processor: how much RAM there is, and the console (QEMU: include/hw/s390x/sclp.h). */
#ifndef SCLP_H
#define SCLP_H

#include <stdint.h>

/* Bytes of RAM, from 0 on. */
uint64_t sclp_ram_bytes(void);

/* Lets events of the ASCII console through. */
void sclp_console_start(void);

void sclp_console_write(const char *text, unsigned length);

#endif
