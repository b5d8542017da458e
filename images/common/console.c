/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console.h"

#include "platform.h"

#define QUEUE_BYTES 1024

static char queue[QUEUE_BYTES];
static unsigned queued, sent;

static void put(char c)
{
    if (queued < QUEUE_BYTES)
        queue[queued++] = c;
}

void console_text(const char *text)
{
    while (*text)
        put(*text++);
}

static void number(uint64_t value, unsigned base)
{
    char digits[20];
    unsigned count = 0;

    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (count)
        put(digits[--count]);
}

void console_decimal(uint64_t value)
{
    number(value, 10);
}

void console_hex(uint64_t value)
{
    console_text("0x");
    number(value, 16);
}

int console_empty(void)
{
    return sent == queued;
}

void console_drain(void)
{
    unsigned length = queued - sent;

    if (!length)
        return;
    sent += arch_console_write(queue + sent, length < CONSOLE_CHUNK ? length : CONSOLE_CHUNK);
    if (sent == queued)
        sent = queued = 0;
}
