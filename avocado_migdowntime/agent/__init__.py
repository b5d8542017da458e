# SPDX-License-Identifier: GPL-2.0-or-later
"""The code that is sent to another host and runs there as long as the connection to it lasts.

It needs Python 3.9 with its standard library, and nothing of this package outside this directory. See `start.py` for
how it gets there, and `keeper.py` for how that host gets back what it lent.
"""
