# SPDX-License-Identifier: GPL-2.0-or-later
"""Real QEMU processes: what a binary can do, one process, its guest, a pair of them and their migration."""
