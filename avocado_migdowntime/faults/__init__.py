# SPDX-License-Identifier: GPL-2.0-or-later
"""Known faults of a QEMU, as modifications of its QMP traffic; `faulty/` applies them."""
