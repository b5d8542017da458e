# SPDX-License-Identifier: GPL-2.0-or-later
"""Avocado's entry points. Every avocado command imports them: nothing heavy here."""
