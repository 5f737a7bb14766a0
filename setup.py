"""What pyproject.toml cannot say: with TRIALSIM_COMPILED=1 mypyc compiles what replications run.

It needs mypy and a C compiler; nothing else that builds or installs the project does.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from setuptools import setup

FLAGS = [
    "--config-file=",  # types are checked by the suite
    "--follow-imports=skip",  # what stays interpreted is taken as it comes
    "--disallow-subclassing-any",  # and can have no compiled subclass
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

    extensions = mypycify([*FLAGS, *compiled()], group_name="trialsim")
    for each in extensions:  # Python rounds a product before it adds to it
        each.extra_compile_args.append("-ffp-contract=off")
    setup(ext_modules=extensions)
else:
    setup()
