# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of a migration at a moment of it, for whoever watches."""
