# SPDX-License-Identifier: GPL-2.0-or-later
"""The report as one HTML file that needs nothing else."""
