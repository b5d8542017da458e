# SPDX-License-Identifier: GPL-2.0-or-later
"""What is done to a pair of QEMUs, and the verdict on it."""
