# SPDX-License-Identifier: GPL-2.0-or-later
"""The forms that are known, in the order in which a line is shown to them."""

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
"""First those that know a line by itself: what goes on over lines does not take theirs, and ends behind them."""
