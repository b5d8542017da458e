# SPDX-License-Identifier: GPL-2.0-or-later
"""The common part of the commands for `git bisect run`: only a failing build gets the status "bad"."""

from collections.abc import Callable

from ..basics.printable import in_lines
from .output import complain, tell, tell_missing

GOOD, BAD = 0, 1
UNUSABLE = 129
"""git's exit status for bad usage. `git bisect run` stops at 128 and above; 1 to 127, except 125, mean bad."""
INTERRUPTED = 130


def never_bad(command: str, run: Callable[[], int]) -> int:
    """The exit status that `run` returns. An exception is printed on standard error for `command`, and is never BAD."""
    import traceback

    from ..errors import MigDowntimeError

    try:
        return run()
    except KeyboardInterrupt:
        tell(command, "interrupted")
        return INTERRUPTED
    except MigDowntimeError as error:
        tell(command, str(error))
    except OSError:
        raise
    except ModuleNotFoundError as error:
        tell_missing(command, error)
    except (Exception, SystemExit):
        complain(in_lines(traceback.format_exc().rstrip("\n")))
    return UNUSABLE
