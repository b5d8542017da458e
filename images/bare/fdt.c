/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fdt.h"

#include "big_endian.h"
#include "../common/text.h"

enum { FDT_BEGIN_NODE = 1, FDT_END_NODE, FDT_PROP, FDT_NOP };
#define OFF_DT_STRUCT 8
#define OFF_DT_STRINGS 12
#define REG_BYTES 16 /* two address cells and two size cells */

static const char *padded(const char *p)
{
    return (const char *)(((uintptr_t)p + 3) & ~(uintptr_t)3);
}

static void read_property(void *to, const char *node, const char *name, const char *value, uint32_t length)
{
    struct machine *machine = to;

    if (text_equal(node, "chosen") && text_equal(name, "bootargs"))
        machine->command_line = value;
    else if (text_starts(node, "memory@") && text_equal(name, "reg"))
        for (; length >= REG_BYTES; length -= REG_BYTES, value += REG_BYTES)
            machine_add_ram(machine, be64(value), be64(value + 8));
    else if (text_equal(name, "timebase-frequency"))
        machine->clock_hz = be32(value);
}

void fdt_each(const void *fdt, void (*take)(void *to, const char *node, const char *name, const char *value, uint32_t length),
              void *to)
{
    const char *p = (const char *)fdt + be32((const char *)fdt + OFF_DT_STRUCT);
    const char *names = (const char *)fdt + be32((const char *)fdt + OFF_DT_STRINGS);
    const char *node = "";

    for (;;) {
        uint32_t token = be32(p), length;

        p += 4;
        switch (token) {
        case FDT_BEGIN_NODE:
            node = p;
            while (*p++)
                ;
            p = padded(p);
            break;
        case FDT_PROP: /* a node's properties come before its children, so `node` is theirs */
            length = be32(p);
            take(to, node, names + be32(p + 4), p + 8, length);
            p = padded(p + 8 + length);
            break;
        case FDT_END_NODE:
        case FDT_NOP:
            break;
        default:
            return;
        }
    }
}

void fdt_read(const void *fdt, struct machine *machine)
{
    fdt_each(fdt, read_property, machine);
}
