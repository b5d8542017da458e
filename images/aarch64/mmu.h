/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MMU_H
#define MMU_H

/* Maps the first 512 GiB one to one: the first GiB as devices, the rest as cached memory. */
void mmu_start(void);

#endif
