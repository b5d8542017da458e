/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text for the serial line: queued here, sent a few characters at a time so that the dirtier never waits. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdint.h>

void console_text(const char *text);
void console_decimal(uint64_t value);
void console_hex(uint64_t value);

/* Sends up to CONSOLE_CHUNK queued characters. */
void console_drain(void);
int console_empty(void);

#endif
