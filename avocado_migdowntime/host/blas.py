# SPDX-License-Identifier: GPL-2.0-or-later
"""The threads of OpenBLAS, the library that numpy multiplies matrices with."""

import os


def use_one_thread() -> None:
    """Let numpy, if it is imported later, start no threads in this process or in those that it starts.

    By default OpenBLAS starts one for each CPU as soon as it is loaded. They spin until they find that there is nothing
    to do, on CPUs that a migration would use. What the user has set holds. Do not call this in a process in which tests
    of others may run.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
