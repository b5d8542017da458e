/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OPEN_FIRMWARE_H
#define OPEN_FIRMWARE_H

#include "../bare/machine.h"

/* Asks SLOF, whose client interface is at `entry`, for what fdt_read() finds in a flattened tree. */
void open_firmware_read(uint64_t entry, struct machine *machine);

#endif
