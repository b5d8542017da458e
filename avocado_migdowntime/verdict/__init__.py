# SPDX-License-Identifier: GPL-2.0-or-later
"""Is what QEMU reports right? Each module judges one part of that."""
