# SPDX-License-Identifier: GPL-2.0-or-later
"""Avocado's entry points. Every avocado command imports this package, so import nothing heavy here."""
