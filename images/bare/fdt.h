/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A flattened device tree, read property by property (Devicetree Specification v0.4, chapter 5). */
#ifndef FDT_H
#define FDT_H

#include "machine.h"

/* Fills in the command line, the RAM and clock_hz (from a cpu node's timebase-frequency) where the tree tells them. */
void fdt_read(const void *fdt, struct machine *machine);

#endif
