# SPDX-License-Identifier: GPL-2.0-or-later
"""Helpers for every part of the package: units, intervals, paths, whole files."""
