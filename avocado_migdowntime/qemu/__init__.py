# SPDX-License-Identifier: GPL-2.0-or-later
"""Real QEMU processes: probing a binary, running one process and its guest, and migrating between two."""
