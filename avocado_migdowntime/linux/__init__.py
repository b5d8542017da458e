# SPDX-License-Identifier: GPL-2.0-or-later
"""A real Linux as the guest: Debian's kernel and busybox, and the dirtier as a program."""
