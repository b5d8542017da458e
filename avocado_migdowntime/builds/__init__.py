# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMUs of Debian's suites, unpacked with their libraries and firmware beside the host's own."""
