# SPDX-License-Identifier: GPL-2.0-or-later
"""Running the same tests on several builds of QEMU, as one job of Avocado's."""
