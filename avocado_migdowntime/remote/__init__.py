# SPDX-License-Identifier: GPL-2.0-or-later
"""Another host, over SSH: what is sent to it (agent/), asked of it, and how its clock stands to this one."""
