# SPDX-License-Identifier: GPL-2.0-or-later
"""What the guest writes into its memory, and whether all of it arrived."""
