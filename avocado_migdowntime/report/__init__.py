# SPDX-License-Identifier: GPL-2.0-or-later
"""Verdicts, advice and other results, as text for people and as data for programs."""
