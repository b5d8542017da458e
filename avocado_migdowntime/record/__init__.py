# SPDX-License-Identifier: GPL-2.0-or-later
"""Records a migration as a trace: the harness's own, another QEMU's (`live`), or one printed by virsh (`piped`)."""
