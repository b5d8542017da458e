# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares runs: builds of QEMU with each other, and estimators with the truth."""
