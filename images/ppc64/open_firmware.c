/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client interface of IEEE 1275: one array of 32-bit cells for a call, its answer in the same array. */
#include "open_firmware.h"

#include "../bare/big_endian.h"
#include "../common/text.h"
#include "vcpus.h"

#define MAX_ARGUMENTS 4
#define MAX_PROPERTY 1024
#define REG_BYTES 16
#define MOST_SERVERS 16 /* of one node: its threads */

uint32_t of_enter(void *arguments, uint64_t entry);

static uint64_t of_entry;
static char command_line[MAX_PROPERTY];

static uint32_t call(const char *service, unsigned count, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    uint32_t cells[3 + MAX_ARGUMENTS + 1] = { (uintptr_t)service, count, 1, a, b, c, d };

    cells[3 + count] = 0;
    of_enter(cells, of_entry);
    return cells[3 + count];
}

/* The property's length in bytes, or less than 1 if there is none. */
static int32_t get_property(uint32_t node, const char *name, void *value, uint32_t bytes)
{
    int32_t length = call("getprop", 4, node, (uintptr_t)name, (uintptr_t)value, bytes);

    return length > (int32_t)bytes ? (int32_t)bytes : length;
}

static void read_memory(uint32_t node, struct machine *machine)
{
    char type[8] = "", reg[8 * REG_BYTES];
    int32_t length;

    get_property(node, "device_type", type, sizeof(type) - 1);
    if (!text_equal(type, "memory"))
        return;
    length = get_property(node, "reg", reg, sizeof(reg));
    for (char *p = reg; length >= REG_BYTES; length -= REG_BYTES, p += REG_BYTES)
        machine_add_ram(machine, be64(p), be64(p + 8));
}

static void read_vcpus(uint32_t cpus)
{
    uint32_t token = 0, servers[MOST_SERVERS];

    get_property(call("finddevice", 1, (uintptr_t)"/rtas", 0, 0, 0), "start-cpu", &token, sizeof(token));
    vcpus_note_token(&token);
    for (uint32_t node = call("child", 1, cpus, 0, 0, 0); node; node = call("peer", 1, node, 0, 0, 0)) {
        int32_t length = get_property(node, "ibm,ppc-interrupt-server#s", servers, sizeof(servers));

        if (length > 0)
            vcpus_note_servers(servers, length);
    }
}

void open_firmware_read(uint64_t entry, struct machine *machine)
{
    uint32_t node, frequency = 0;

    of_entry = entry;
    node = call("finddevice", 1, (uintptr_t)"/chosen", 0, 0, 0);
    get_property(node, "bootargs", command_line, sizeof(command_line) - 1);
    machine->command_line = command_line;

    node = call("finddevice", 1, (uintptr_t)"/cpus", 0, 0, 0);
    read_vcpus(node);
    node = call("child", 1, node, 0, 0, 0);
    get_property(node, "timebase-frequency", &frequency, sizeof(frequency));
    machine->clock_hz = frequency;

    node = call("peer", 1, 0, 0, 0, 0); /* of no node: the root */
    for (node = call("child", 1, node, 0, 0, 0); node; node = call("peer", 1, node, 0, 0, 0))
        read_memory(node, machine);

    /* No device may go on writing to RAM that will be the region. */
    call("quiesce", 0, 0, 0, 0, 0);
}
