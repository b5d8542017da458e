# SPDX-License-Identifier: GPL-2.0-or-later
"""The ground truth of a migration: passes, what was left at each dirty sync, and how well formulas explain reports."""
