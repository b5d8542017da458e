# SPDX-License-Identifier: GPL-2.0-or-later
"""Verdicts as people and programs read them."""
