# SPDX-License-Identifier: GPL-2.0-or-later
"""What is true of a migration: its passes, what was left at each dirty sync, how well each formula explains reports."""
