/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VCPUS_H
#define VCPUS_H

#include "../common/platform.h"

/* What a device tree tells of them: the token of RTAS' start-cpu, and the numbers that vCPUs have for it. */
void vcpus_note_token(const void *property);
void vcpus_note_servers(const void *property, uint32_t bytes);

/* The same from a flattened device tree. */
void vcpus_read(const void *fdt);

/* Those that were noted. */
const struct vcpus *vcpus_of_machine(void);

#endif
