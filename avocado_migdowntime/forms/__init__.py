# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts that people have of a migration: each form told by what is in it, and read into one spelling, QMP's."""
