"""The notebook of the docs, run as a notebook runs it: cell after cell in one namespace.

`python -m tests.notebook` writes its outputs anew.
"""

from __future__ import annotations

import ast
import base64
import json
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import vl_convert

NOTEBOOK = Path(__file__).parent.parent / "docs" / "trial.ipynb"
TEXT, TABLE, PICTURE = "text/plain", "text/html", "image/png"


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the cells of code of a notebook."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def results(notebook: dict[str, Any]) -> Iterator[object]:
    """Run the cells in the folder of the docs; yield what the last line of each comes to."""
    names: dict[str, Any] = {}
    with chdir(NOTEBOOK.parent):
        for cell in code_cells(notebook):
            *before, last = ast.parse("".join(cell["source"])).body
            exec(compile(ast.Module(before, []), NOTEBOOK.name, "exec"), names)  # noqa: S102
            assert isinstance(last, ast.Expr), "a cell ends with what it shows"
            yield eval(compile(ast.Expression(last.value), NOTEBOOK.name, "eval"), names)  # noqa: S307


def shown(result: Any) -> dict[str, Any]:  # noqa: ANN401  whatever a cell comes to
    """Return how a result is shown: a table and its text, a chart as a picture, or a text."""
    if isinstance(result, pd.DataFrame):
        return {TABLE: result.to_html(), TEXT: repr(result)}
    if isinstance(result, alt.TopLevelMixin):
        png = vl_convert.vegalite_to_png(result.to_dict())
        return {PICTURE: base64.b64encode(png).decode(), TEXT: type(result).__name__}
    return {TEXT: repr(result)}


if __name__ == "__main__":
    written = json.loads(NOTEBOOK.read_text("utf-8"))
    for number, (cell, result) in enumerate(
        zip(code_cells(written), results(written), strict=True), 1
    ):
        output = {"output_type": "execute_result", "execution_count": number, "metadata": {}}
        cell |= {"execution_count": number, "outputs": [output | {"data": shown(result)}]}
    NOTEBOOK.write_text(json.dumps(written, ensure_ascii=False, indent=1) + "\n", "utf-8")
