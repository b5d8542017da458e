/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes on while pages are written: the telemetry's heartbeat, and lines for the serial port. */
#ifndef HEARTBEAT_H
#define HEARTBEAT_H

#include <stdint.h>

/* Call it once telemetry.clock_hz is set. */
void heartbeat_start(void);

/* Of vCPU 0; call it at least every 10 ms; returns the clock. */
uint64_t heartbeat(void);

/* Has a vCPU rest for a moment, with a heartbeat at its end if it is the first; returns the clock. */
uint64_t nap(unsigned vcpu);

#endif
