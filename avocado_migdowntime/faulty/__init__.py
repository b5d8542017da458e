# SPDX-License-Identifier: GPL-2.0-or-later
"""Puts a fault between a real QEMU and its QMP client."""
