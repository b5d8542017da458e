/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Further vCPUs: started by RTAS (LoPAR, "start-cpu"), resting and woken by hypercalls. */
#include "vcpus.h"

#include "../bare/big_endian.h"
#include "../bare/fdt.h"
#include "../common/telemetry.h"
#include "../common/text.h"
#include "hypercall.h"

#define H_PROD 0xe8
#define H_JOIN 0x298
#define H_RTAS 0xf000 /* QEMU's own (include/hw/ppc/spapr.h): what its RTAS consists of */
#define BOOT_SERVER 0 /* the one that runs from the beginning */
#define FAR_AWAY 0x7fffffffu

void vcpu_entry(void);

static uint32_t start_token, servers[MOST_VCPUS]; /* by number; the first one is BOOT_SERVER */
static unsigned started;
static void start(unsigned count);
static void rest(void);
static void wake(void);

static struct vcpus vcpus = { 1, start, rest, wake };

void vcpus_note_token(const void *property)
{
    start_token = be32(property);
}

void vcpus_note_servers(const void *property, uint32_t bytes)
{
    const char *server = property;

    for (; bytes >= 4; bytes -= 4, server += 4)
        if (be32(server) != BOOT_SERVER && vcpus.count < MOST_VCPUS)
            servers[vcpus.count++] = be32(server);
}

static void take(void *to, const char *node, const char *name, const char *value, uint32_t length)
{
    (void)to;
    if (text_equal(node, "rtas") && text_equal(name, "start-cpu"))
        vcpus_note_token(value);
    else if (text_equal(name, "ibm,ppc-interrupt-server#s"))
        vcpus_note_servers(value, length);
}

void vcpus_read(const void *fdt)
{
    fdt_each(fdt, take, 0);
}

static void start(unsigned count)
{
    started = count;
    for (unsigned vcpu = 1; vcpu < count; vcpu++) {
        uint32_t call[] = { start_token, 3, 1, servers[vcpu], (uint32_t)(uintptr_t)vcpu_entry, vcpu, 0 };

        hypercall(H_RTAS, (uint64_t)call, 0, 0, 0);
    }
}

/* Interrupts are off, so only a prod ends it; an expired decrementer would keep QEMU from halting this vCPU. */
static void rest(void)
{
    __asm__ volatile("mtdec %0" ::"r"(FAR_AWAY));
    hypercall(H_JOIN, 0, 0, 0, 0);
}

static void wake(void)
{
    for (unsigned vcpu = 1; vcpu < started; vcpu++)
        hypercall(H_PROD, servers[vcpu], 0, 0, 0);
}

const struct vcpus *vcpus_of_machine(void)
{
    return &vcpus;
}
