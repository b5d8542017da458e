# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the same tests on several builds of QEMU, as one Avocado job."""
