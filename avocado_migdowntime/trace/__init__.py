# SPDX-License-Identifier: GPL-2.0-or-later
"""Recorded migrations: what QEMU answered and when, and the files that hold recordings."""
