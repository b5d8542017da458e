# SPDX-License-Identifier: GPL-2.0-or-later
"""The forms that are known, in the order in which a line is shown to them."""

from .domjobinfo import DomJobInfo
from .form import Form
from .monitor_parameters import MonitorParameters
from .monitor_text import MonitorText
from .qmp import Qmp

FORMS: tuple[type[Form], ...] = (Qmp, MonitorText, DomJobInfo, MonitorParameters)
