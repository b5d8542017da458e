# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run borrows from the host, given back whatever way it ends.

    with HostResources() as resources, work_directory(resources) as sockets:
        with borrow_hugepages(resources, page_size_bytes, count, allowed=True) as pages:
            with pages.handed_over():
                ...  # launch the QEMUs
            ...      # work with them

A shaped link is borrowed without `HostResources`, as the kernel itself takes it back (netns.py).

Import from the modules; this one stays empty, as the reaper process starts through it.
"""
