# SPDX-License-Identifier: GPL-2.0-or-later
"""The state of a migration at one moment."""
