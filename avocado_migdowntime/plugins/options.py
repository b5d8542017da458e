# SPDX-License-Identifier: GPL-2.0-or-later
"""The parameters of a test, as options of `avocado run` and as settings in Avocado's configuration files."""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from avocado.core import exit_codes
from avocado.core.output import LOG_UI
from avocado.core.plugin_interfaces import CLI, Init
from avocado.core.settings import settings

from ..basics.alike import meant
from ..basics.names import KIND
from ..basics.printable import in_a_line
from ..errors import UsageError
from ..parameters.packaged_variants import located
from ..parameters.sources import NAMESPACES, of_settings
from ..parameters.table import describe, parse


class MigDowntimeInit(Init):
    """Registers a setting for each parameter. An empty setting leaves the choice to the variants and the default."""

    name = "migdowntime"
    description = "Settings of the migration downtime tests"

    def initialize(self) -> None:
        for row in describe():
            default = f" (default: {row.default})" if row.default else ""
            settings.register_option(
                section=KIND, key=row.name, default="", key_type=str, help_msg=f"{row.meaning}{default}"
            )


class MigDowntimeCLI(CLI):
    """Adds the options to `avocado run`, and lets `-m` take packaged variants by name."""

    name = "migdowntime"
    description = "Options of the migration downtime tests"

    def configure(self, parser: Any) -> None:
        run = parser.subcommands.choices.get("run")
        if run is None:
            return
        group = run.add_argument_group(
            "migration downtime tests", "They apply to all variants, and override what these and -p set."
        )
        for row in describe():
            settings.add_argparser_to_option(
                namespace=NAMESPACES[row.name],
                parser=group,
                metavar=row.name.upper(),
                long_arg=f"--{KIND}-{row.name.replace('_', '-')}",
            )
        run.error = partial(_refuse, run.error)

    def run(self, config: dict[str, Any]) -> None:
        try:
            if config.get("subcommand") == "run":
                parse(of_settings(config))
                if any(reference.startswith(f"{KIND}:") for reference in config["resolver.references"]):
                    _refuse_if_not_writable(config["run.results_dir"])
            files = config.get("yaml_to_mux.files") or []
            files[:] = [located(entry) for entry in files]
        except UsageError as error:
            LOG_UI.error(in_a_line(str(error)))
            sys.exit(exit_codes.AVOCADO_FAIL)


def _refuse_if_not_writable(results: str | None) -> None:
    """Raise UsageError if no directory can be made at `results`: Avocado would end with a traceback."""
    if results is None:
        return
    path = Path(results).absolute()
    there = next(one for one in (path, *path.parents) if os.path.lexists(one))
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise UsageError(
            f"--job-results-dir {results}: nothing can be written to {there}; give a directory of your own"
        )


def _refuse(otherwise: Callable[[str], None], message: str) -> None:
    """End with what a misspelt option of this plugin may mean: Avocado would say that a plugin is missing."""
    unknown = next((word.partition("=")[0] for word in message.split() if word.startswith(f"--{KIND}-")), None)
    if unknown is not None and "unrecognized arguments" in message:
        options = [f"--{KIND}-{row.name.replace('_', '-')}" for row in describe()]
        LOG_UI.error(in_a_line(f"unrecognized option {unknown}; {meant(unknown, options)}"))
        sys.exit(exit_codes.AVOCADO_FAIL)
    otherwise(message)
