# SPDX-License-Identifier: GPL-2.0-or-later
"""Can the tests run here? `host` is what there is to see, `reading` and `probing` see it, `checks` judge it."""
