/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sclp.h"

#define READ_SCP_INFO 0x00020001
#define WRITE_EVENT_DATA 0x00760005
#define WRITE_EVENT_MASK 0x00780005
#define ASCII_CONSOLE 26 /* the VT220's event type */
#define ASCII_CONSOLE_MASK (1u << (32 - ASCII_CONSOLE))
#define MASK_BYTES 4
#define MIB (1ul << 20)
#define BUSY 2 /* condition code */

struct header {
    uint16_t length;
    uint8_t function, control[3];
    uint16_t response;
} __attribute__((packed));

struct ram_info {
    struct header header;
    uint16_t increments;
    uint8_t increment_mib;
    uint8_t reserved[89];
    uint32_t increment_mib_if_large;
    uint64_t increments_if_many;
} __attribute__((packed));

struct event_mask {
    struct header header;
    uint16_t reserved, mask_bytes;
    uint32_t wanted_to_receive, wanted_to_send, can_receive, can_send;
} __attribute__((packed));

struct console_event {
    struct header header;
    uint16_t length;
    uint8_t type, flags;
    uint16_t reserved;
    char text[];
} __attribute__((packed));

static union {
    char bytes[4096];
    struct header header;
    struct ram_info ram;
    struct event_mask mask;
    struct console_event event;
} block __attribute__((aligned(4096)));

static void start(uint16_t length)
{
    for (unsigned i = 0; i < sizeof(block); i++)
        block.bytes[i] = 0;
    block.header.length = length;
}

/* The interrupt that says the command is done stays masked: QEMU and KVM carry it out at once. */
static void service_call(uint32_t command)
{
    unsigned condition;

    do
        __asm__ volatile(".insn rre, 0xb2200000, %1, %2\n\t" /* servc */
                         "ipm %0\n\t"
                         "srl %0, 28"
                         : "=&d"(condition)
                         : "d"((uint64_t)command), "a"(&block)
                         : "cc", "memory");
    while (condition == BUSY);
}

uint64_t sclp_ram_bytes(void)
{
    start(sizeof(block));
    service_call(READ_SCP_INFO);
    return (block.ram.increments ? block.ram.increments : block.ram.increments_if_many) * MIB
           * (block.ram.increment_mib ? block.ram.increment_mib : block.ram.increment_mib_if_large);
}

void sclp_console_start(void)
{
    start(sizeof(struct event_mask));
    block.mask.mask_bytes = MASK_BYTES;
    block.mask.wanted_to_send = ASCII_CONSOLE_MASK;
    service_call(WRITE_EVENT_MASK);
}

void sclp_console_write(const char *text, unsigned length)
{
    uint16_t header_bytes = sizeof(struct header);

    start(sizeof(struct console_event) + length);
    block.event.length = block.header.length - header_bytes;
    block.event.type = ASCII_CONSOLE;
    for (unsigned i = 0; i < length; i++)
        block.event.text[i] = text[i];
    service_call(WRITE_EVENT_DATA);
}
