# SPDX-License-Identifier: GPL-2.0-or-later
"""Resources that a run takes from the host; they are released however the run ends. docs/host.md has a picture of it.

    with HostResources() as resources, work_directory(resources) as sockets:
        with lease_hugepages(resources, page_size_bytes, count, allowed=True) as pages:
            with pages.hand_over():
                ...  # launch the QEMUs
            ...      # work with them

A shaped link needs no `HostResources`: the kernel itself takes it back (netns.py).

Import from the modules. This one stays empty, because the reaper process starts through it.
"""
