# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run has of the host, released whatever way the run ends; docs/host.md shows how, in one picture.

    with HostResources() as resources, work_directory(resources) as sockets:
        with lease_hugepages(resources, page_size_bytes, count, allowed=True) as pages:
            with pages.hand_over():
                ...  # launch the QEMUs
            ...      # work with them

A shaped link needs no `HostResources`, as the kernel itself takes it back (netns.py).

Import from the modules; this one stays empty, as the reaper process starts through it.
"""
