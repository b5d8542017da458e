# SPDX-License-Identifier: GPL-2.0-or-later
"""What a migration will do, and the downtime-limit to set for it."""
