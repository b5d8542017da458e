# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian packages, fetched by the host's apt without changing the host's package management."""
