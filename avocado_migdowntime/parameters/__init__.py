# SPDX-License-Identifier: GPL-2.0-or-later
"""What a test can be told, and where from."""
