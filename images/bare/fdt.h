/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A flattened device tree, read property by property (Devicetree Specification v0.4, chapter 5). */
#ifndef FDT_H
#define FDT_H

#include "machine.h"

/* Takes each property: of which node, its name, its value. */
void fdt_each(const void *fdt, void (*take)(void *to, const char *node, const char *name, const char *value, uint32_t length),
              void *to);

/* Fills in the command line, the RAM and clock_hz (from a cpu node's timebase-frequency) where the tree tells them. */
void fdt_read(const void *fdt, struct machine *machine);

#endif
