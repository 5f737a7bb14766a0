"""What pyproject.toml cannot say: with TRIALSIM_COMPILED=1 mypyc compiles what replications run.

It needs mypy and a C compiler; nothing else that builds or installs the project does.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

from setuptools import setup

FOLLOWED = """
[mypy]
follow_imports = skip
[mypy-sim.*]
follow_imports = silent
"""
"""mypyc reads the types in our own files, compiled or not, so that a number need not be an object;
to read those of libraries takes ten minutes and gains nothing."""

FLAGS = [
    "--disallow-subclassing-any",  # what stays interpreted can have no compiled subclass
    "--disable-error-code=import-not-found",
    "--disable-error-code=var-annotated",
]


def compiled() -> list[str]:
    """Return the files to compile, in order."""
    tool = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["tool"]["trialsim"]
    files = {str(file) for pattern in tool["compiled"] for file in Path().glob(pattern)}
    return sorted(files - {str(Path(file)) for file in tool["interpreted"]})


if os.environ.get("TRIALSIM_COMPILED") == "1":
    from mypyc.build import mypycify

    with TemporaryDirectory() as home:
        (config := Path(home) / "mypy.ini").write_text(FOLLOWED, encoding="utf-8")
        flags = [f"--config-file={config}", *FLAGS]
        extensions = mypycify([*flags, *compiled()], group_name="trialsim")
    for each in extensions:  # Python rounds a product before it adds to it
        each.extra_compile_args.append("-ffp-contract=off")
    setup(ext_modules=extensions)
else:
    setup()
