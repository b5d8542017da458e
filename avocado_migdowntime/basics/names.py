# SPDX-License-Identifier: GPL-2.0-or-later
"""Names shared between Avocado and this package."""

KIND = "migdowntime"
"""The kind of the tests, the scheme of their references (`migdowntime:NAME`) and the section of their settings."""

LACKING_FAILS = "HostLacks"
"""The name of the exception of a test that fails because its host lacks something."""

PROGRESS_LOGGER = "avocado.test.progress"
"""What is logged here is also shown to the user at the terminal."""

TRACE_OF_TEST = "data/trace.jsonl"
"""Where a test leaves its trace, below its results."""

PAGE_OF_A_JOB = "migdowntime.html"
"""Where a job leaves its page, below its results."""
