# SPDX-License-Identifier: GPL-2.0-or-later
"""Can the tests run here? `host` is the data model, `reading` and `probing` fill it, `checks` judge it."""
