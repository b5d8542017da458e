# SPDX-License-Identifier: GPL-2.0-or-later
"""Distribution `avocado-framework-plugin-migdowntime`."""

from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = "avocado_migdowntime"
HERE = Path(__file__).parent
IMAGES = sorted(elf.parent.name for elf in HERE.glob("images/*/dirtier.elf"))

# What lies at the top of the checkout travels inside the package, where resources.directory() looks first.
CARRIED = {f"{PACKAGE}.tests": "tests", f"{PACKAGE}.variants": "variants"}
CARRIED |= {f"{PACKAGE}.images.{name}": f"images/{name}" for name in [*IMAGES, "linux"]}

README = HERE / "README.md"

setup(
    name="avocado-framework-plugin-migdowntime",
    version="0.2.0",
    description="Checks the downtime that QEMU predicts for a live migration, and whether the migration will finish",
    long_description=README.read_text(encoding="utf-8") if README.exists() else "",
    long_description_content_type="text/markdown",
    license="GPL-2.0-or-later",
    python_requires=">=3.11",
    packages=[*find_packages(include=[PACKAGE, f"{PACKAGE}.*"]), *CARRIED],
    package_dir=CARRIED,
    package_data={
        PACKAGE: ["py.typed"],
        f"{PACKAGE}.report.html": ["*.html", "page.css", "page.js"],
        f"{PACKAGE}.variants": ["*.yaml"],
        f"{PACKAGE}.images.linux": ["init", "dirtier.x86_64", "dirtier.ppc64le"],
        **{f"{PACKAGE}.images.{name}": ["dirtier.bin", "dirtier.elf"] for name in IMAGES},
    },
    install_requires=[
        "avocado-framework==113.*",
        "avocado-framework-plugin-varianter-yaml-to-mux==113.*",
        "jinja2==3.*",
        "matplotlib==3.*",
        "msgspec==0.*",
        "numpy==2.*",
        "packaging>=23",
        "plotly==7.*",
        "qemu-qmp==0.0.6.*",  # Not qemu.qmp: pkg_resources, by which Avocado loads plugins, does not find that name.
        "rich==15.*",
        "setuptools<80.9",  # Avocado 113 imports pkg_resources: 82 dropped it, 80.9 warns of that at each command.
    ],
    extras_require={
        "dev": [
            "asyncssh>=2.14",
            "avocado-framework-plugin-result-html==113.*",
            "avocado-framework-plugin-spawner-remote==113.*",
            "codespell==2.*",
            "grimp==3.*",
            "hypothesis==6.*",
            "meson==1.*",
            "mutmut==3.8.*",
            "mypy==2.*",
            "ninja==1.*",
            "pip-audit==2.*",
            "playwright==1.*",
            "prometheus_client==0.*",
            "pytest==9.*",
            "pytest-cov==7.*",
            "pytest-xdist==3.*",
            "ruff>=0.17,<0.18",
            "trustme==1.*",
            "twine>=6",
            "types-PyYAML==6.*",
            "wheel==0.*",
        ],
        "fuzz": ["atheris==3.0.*"],
        "hosts": ["avocado-framework-plugin-spawner-remote==113.*"],
        "ssh": ["asyncssh>=2.14"],
        "images": ["ziglang==0.17.1"],
        "libvirt": ["libvirt-python>=9"],
        "lock": ["uv==0.*"],
        "metrics": ["prometheus_client==0.*"],
        "tls": ["trustme==1.*"],
    },
    entry_points={
        "console_scripts": ["avocado-runner-migdowntime = avocado_migdowntime.plugins.runner:main"],
        "avocado.plugins.init": ["migdowntime = avocado_migdowntime.plugins.options:MigDowntimeInit"],
        "avocado.plugins.cli": ["migdowntime = avocado_migdowntime.plugins.options:MigDowntimeCLI"],
        "avocado.plugins.cli.cmd": ["migdowntime = avocado_migdowntime.plugins.command:MigDowntime"],
        "avocado.plugins.result": ["migdowntime = avocado_migdowntime.plugins.result:MigDowntimeResult"],
        "avocado.plugins.job.prepost": ["migdowntime = avocado_migdowntime.plugins.xunit:MigDowntimeXunit"],
        "avocado.plugins.result_events": [
            "migdowntime-far-results = avocado_migdowntime.plugins.far_results:MigDowntimeFarResults"
        ],
        "avocado.plugins.spawner": ["migdowntime-hosts = avocado_migdowntime.plugins.hosts:MigDowntimeHosts"],
        "avocado.plugins.resolver": ["migdowntime = avocado_migdowntime.plugins.resolver:MigDowntimeResolver"],
        "avocado.plugins.runnable.runner": ["migdowntime = avocado_migdowntime.plugins.runner:MigDowntimeRunner"],
    },
    keywords=["qemu", "live migration", "downtime", "expected-downtime", "downtime-limit", "avocado", "libvirt"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Environment :: Plugins",
        "Intended Audience :: Developers",
        "Intended Audience :: System Administrators",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Topic :: Software Development :: Quality Assurance",
        "Topic :: Software Development :: Testing",
        "Topic :: System :: Emulators",
        "Typing :: Typed",
    ],
)
