# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's packages, had by the host's own apt without a trace on the host's package management."""
