# SPDX-License-Identifier: GPL-2.0-or-later
"""What a picture shows, without a word on how it is drawn."""
