# SPDX-License-Identifier: GPL-2.0-or-later
"""The content of pictures, independent of how they are drawn."""
