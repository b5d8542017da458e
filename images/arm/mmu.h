/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MMU_H
#define MMU_H

/* Maps the 4 GiB of addresses to themselves, the first GiB as devices, the rest as cached RAM. */
void mmu_start(void);

#endif
