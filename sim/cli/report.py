"""The command that makes pages again from finished folders, and joins folders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import click

from sim.cli.options import RESULTS, Output, excel_option, language_option, verbose_option
from sim.cli.terminal import NotOpened


@click.command("report")
@click.argument("paths", metavar="FOLDER...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Where several are joined.")
@click.option(
    "--png",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write the charts of the page as PNG files into this new or empty folder.",
)
@language_option
@excel_option
@verbose_option
@click.pass_context
def report_command(
    context: click.Context,
    /,
    paths: Sequence[Path],
    *,
    out: Path | None,
    png: Path | None,
    language: str,
    excel: bool,
) -> None:
    """Build the page of FOLDER again from its tables; join several.

    Runs are put side by side. A sweep or a search of solve joins the run of its scenario.
    """
    from sim.report.pages import read_page
    from sim.results import folder

    if not paths:
        raise click.UsageError("name a folder or more")
    for path in paths:
        if not (path / folder.MANIFEST).is_file():
            raise NotOpened(f"{path}: not the folder of a finished run")
    if out is not None and len(paths) == 1:
        raise click.UsageError("--out: one folder keeps its page in itself")
    make = partial(_write_pages, output=Output(context.obj, language, excel=excel))
    if png is not None:
        folder.claim(png)
    finished = paths[0] if len(paths) == 1 else _joined(paths, context.obj, make, out)
    if len(paths) == 1:
        make(finished)
    if png is not None:
        read_page(finished, language).save_pictures(png)
    click.echo(finished)


def _joined(
    paths: Sequence[Path], command: str, page: Callable[[Path], None], out: Path | None
) -> Path:
    """The folder in which these are joined."""
    from sim.results import folder

    joined = _by_run(paths)
    if len(joined) == 1:
        ((run, others),) = joined.items()
        return folder.join(run, others, page=page, root=RESULTS, out=out)
    place = {_name(run): partial(folder.copy, run, others) for run, others in joined.items()}
    if len(place) < len(joined):
        raise click.UsageError("two folders hold scenarios of one name; give them other names")
    return folder.gather(place, command=command, seconds=0.0, page=page, root=RESULTS, out=out)


def _by_run(paths: Sequence[Path]) -> Mapping[Path, list[Path]]:
    """The runs, each with the sweeps and searches of its scenario."""
    from sim.results import folder

    kinds = {path: folder.manifest(path)["kind"] for path in paths}
    if "compare" in kinds.values():
        raise click.UsageError("name the folders of runs, not one of runs side by side")
    joined: dict[Path, list[Path]] = {path: [] for path, kind in kinds.items() if kind == "run"}
    for path in (path for path in paths if path not in joined):
        scenario = (path / folder.SCENARIO).read_bytes()
        same = (run for run in joined if (run / folder.SCENARIO).read_bytes() == scenario)
        run = next(same, None)
        if run is None:
            raise click.UsageError(
                f"{path}: a sweep or search joins a run of the very same scenario; name one"
            )
        joined[run].append(path)
    return joined


def _name(run: Path) -> str:
    from sim.results import folder
    from sim.scenario.load import load

    return load(run / folder.SCENARIO).scenario


def _write_pages(finished: Path, output: Output) -> None:
    """Write the page of a folder, and what else is asked for, after those of the folders in it."""
    from sim.results import folder

    manifests = sorted(finished.rglob(folder.MANIFEST), key=lambda path: -len(path.parts))
    folders = [path.parent for path in manifests]
    for inside in folders:  # something is wrong with one: before the first page is written
        folder.manifest(inside)
    there = next((inside for inside in folders if (inside / folder.WORKBOOK).exists()), None)
    if output.excel and there is not None:
        raise NotOpened(f"{there / folder.WORKBOOK}: there already; nothing is written over it")
    for inside in folders:
        output.make(inside)
