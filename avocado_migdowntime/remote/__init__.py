# SPDX-License-Identifier: GPL-2.0-or-later
"""Another host, over SSH: the code sent to it (agent/), questions to it, and the offset of its clock."""
