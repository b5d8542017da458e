# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs compared with each other: builds of QEMU, and estimators against the truth."""
