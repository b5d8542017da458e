# SPDX-License-Identifier: GPL-2.0-or-later
"""Sampling a migration into a trace: one's own, somebody else's (`live`), or what virsh prints (`piped`)."""
