# SPDX-License-Identifier: GPL-2.0-or-later
"""The jobs of docs/ci.md."""

import re

import yaml

from .documents import TOP


def jobs():
    """The job of GitLab, and that of GitHub."""
    blocks = re.findall(r"```yaml\n(.*?)```", (TOP / "docs/ci.md").read_text(), re.DOTALL)
    gitlab, github = map(yaml.safe_load, blocks)
    return gitlab["expected-downtime"], github["jobs"]["expected-downtime"]
