# SPDX-License-Identifier: GPL-2.0-or-later
"""What commands have in common that `git bisect run` may run: no failure but that of a build says bad."""

import sys
from collections.abc import Callable

GOOD, BAD = 0, 1
UNTOLD = 125
"""Exit status where a build cannot be told good or bad: `git bisect run` passes over the commit."""
UNUSABLE = 129
"""Exit status of bad usage, as of git. `git bisect run` ends at 128 and above; 1 to 127, but for 125, are bad."""
INTERRUPTED = 130


def never_bad(command: str, run: Callable[[], int]) -> int:
    """The exit status that `run` gives; what it raises is told on standard error as `command`'s, and is never BAD."""
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
            f"there is no module {error.name}, which this command needs; install what it needs with: pip install .",
        )
    except (Exception, SystemExit):
        traceback.print_exc()
    return UNUSABLE


def tell(command: str, text: str) -> None:
    """Say to a person what is no progress, so that it is said with --quiet too."""
    print(f"migdowntime {command}: {text}", file=sys.stderr, flush=True)
