# SPDX-License-Identifier: GPL-2.0-or-later
"""Judge the downtime that QEMU predicts while it migrates a guest."""
