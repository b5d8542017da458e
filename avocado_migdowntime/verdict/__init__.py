# SPDX-License-Identifier: GPL-2.0-or-later
"""Is what QEMU reports right? One file for each part of the judgement."""
