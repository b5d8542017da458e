# SPDX-License-Identifier: GPL-2.0-or-later
"""The known forms, in the order in which a line is offered to them."""

from .avocado_vt import AvocadoVtLog
from .domjobinfo import DomJobInfo
from .form import Form
from .guestperf import Guestperf
from .kubevirt import KubevirtLog
from .monitor_parameters import MonitorParameters
from .monitor_text import MonitorText
from .nova import NovaLog
from .proxmox import ProxmoxLog
from .qmp import Qmp
from .qmp_fields import QmpFields
from .table import Table
from .vdsm import VdsmLog

FORMS: tuple[type[Form], ...] = (
    *(ProxmoxLog, NovaLog, KubevirtLog, VdsmLog, AvocadoVtLog, Guestperf, Table),
    *(Qmp, MonitorParameters, MonitorText, DomJobInfo, QmpFields),
)
"""Forms that recognise a single line come first, so that a form that spans several lines does not take theirs, but ends
there.
"""
