/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VCPUS_H
#define VCPUS_H

#include "../common/platform.h"

/* Those that this machine has, which map the APIC as the first one does; its TSC has `clock_hz`. */
const struct vcpus *vcpus_of_machine(uint64_t clock_hz);

#endif
