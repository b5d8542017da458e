# SPDX-License-Identifier: GPL-2.0-or-later
"""Known faults of a QEMU, as alterations of its QMP traffic; what puts them there is in `faulty/`."""
