# SPDX-License-Identifier: GPL-2.0-or-later
"""What is sent to another host and runs there, for as long as the connection to it lasts.

It needs Python 3.9 and its standard library, nothing of this package beside this room. `start.py` says how it gets
there, `keeper.py` how that host gets back what it lent.
"""
