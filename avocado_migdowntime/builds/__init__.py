# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMUs of Debian suites, unpacked with their own libraries and firmware, next to the host's QEMU."""
