# SPDX-License-Identifier: GPL-2.0-or-later
"""What every part may use: units, intervals, paths, whole files."""
