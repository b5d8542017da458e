# SPDX-License-Identifier: GPL-2.0-or-later
"""Readers of the texts that people have about a migration. The content decides the form; the output uses QMP's
spelling.
"""
