# SPDX-License-Identifier: GPL-2.0-or-later
"""The experiments that tests do with a pair of QEMUs, and their verdicts."""
