# SPDX-License-Identifier: GPL-2.0-or-later
"""Recording migrations that others have started: over QMP (`live`), or from what virsh prints (`piped`)."""
