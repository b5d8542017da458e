# SPDX-License-Identifier: GPL-2.0-or-later
"""The forms that are known, in the order in which a line is shown to them."""

from .form import Form
from .kubevirt import KubevirtLog
from .nova import NovaLog
from .proxmox import ProxmoxLog
from .vdsm import VdsmLog

FORMS: tuple[type[Form], ...] = (ProxmoxLog, NovaLog, KubevirtLog, VdsmLog)
