# SPDX-License-Identifier: GPL-2.0-or-later
"""What commands have in common that `git bisect run` may run: no failure but that of a build says bad."""

from collections.abc import Callable

from ..basics.printable import in_lines
from .output import tell

GOOD, BAD = 0, 1
UNTOLD = 125
"""Exit status where a build cannot be told good or bad: `git bisect run` skips the commit."""
UNUSABLE = 129
"""Exit status of bad usage, as of git. `git bisect run` ends at 128 and above; 1 to 127, but for 125, are bad."""
INTERRUPTED = 130


def never_bad(command: str, run: Callable[[], int]) -> int:
    """The exit status that `run` gives; what it raises is told on standard error as `command`'s, and is never BAD."""
    import sys
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
        tell(
            command,
            f"there is no module {error.name}, which this command needs; install this package: pip install .",
        )
    except (Exception, SystemExit):
        print(in_lines(traceback.format_exc()), end="", file=sys.stderr)
    return UNUSABLE
