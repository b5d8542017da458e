# SPDX-License-Identifier: GPL-2.0-or-later
"""The forms that are known, in the order in which a line is shown to them."""

from .form import Form

FORMS: tuple[type[Form], ...] = ()
