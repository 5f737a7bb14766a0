"""The flow of participants as the CONSORT statement draws it (Schulz, Altman and Moher 2010).

Boxes of text joined by arrows, at places in pixels, drawn with marks of a chart.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, cast

import altair as alt
import pandas as pd
from numpy.typing import NDArray

from sim.report.charts import BLACK, GREY, Chart
from sim.report.page import Figure, Table, TableRow
from sim.report.run import Run

LOST = (
    *("not_eligible_on_chart", "not_consenting", "screen_failed", "withdrew_in_screening"),
    *("turned_away", "still_in_screening"),
)
"""Boxes of the flow that hold who is not randomised."""

ENDINGS = ("left", "completed", "still_in_follow_up")
"""Boxes that share out the participants of an arm."""

ASIDE = ("received_first_dose", "stopped_treatment")
"""Boxes that count some of an arm's participants another time."""

GAP, TRUNK, SIDE, DIAGRAM = 28, 300, 440, 900
"""Pixels between boxes, and the widths of the boxes of everybody, of those who are lost, of all."""

READABLE = 600
"""Pixels below which its letters would be too small to read."""

LINE_HEIGHT, PAD, FIGURE_WIDTH, HEAD, TIP = 18, 9, 56, 90, 5
"""Pixels: a line of text, what surrounds the lines, a figure at their end, an arrow's head (square
pixels), and from its middle to its tip."""

Key = tuple[str, str, str]
"""box, arm, reason"""

EVERYBODY: Key = ("candidates", "", "")
RANDOMISED: Key = ("randomised", "", "")

Spot = tuple[float, float]
Written = tuple[str, str]
"""A line of a box: a name from the left, shortened where it is too long, and a figure."""


class Box(NamedTuple):
    """A box by its corner and its width, as tall as its lines at least; the first is bold."""

    left: float
    top: float
    width: float
    lines: Sequence[Written]
    least: float = 0.0

    @property
    def below(self) -> float:
        """Where its lower edge is."""
        return self.top + max(self.least, LINE_HEIGHT * len(self.lines) + 2 * PAD)

    @property
    def middle(self) -> float:
        """Half-way from left to right."""
        return self.left + self.width / 2


def flow(run: Run) -> Figure:
    """Return the mean flow of participants, drawn, with boxes that add up as shown."""
    say, shown = run.say, tenths(run.tables["flow.csv"].fillna(""))
    ends = {
        end: sum(count for (box, arm, _), count in shown.items() if box == end and arm)
        for end in ENDINGS
    }
    every = {"candidates": shown[EVERYBODY], "randomised": shown[RANDOMISED], **ends}
    message = say("consort.message", **{name: count / 10 for name, count in every.items()})
    boxes, arrows = _boxes(run, shown)
    chart = _diagram(boxes, arrows, message)
    return Figure(say("consort.title"), chart, _table(run, shown), message.rstrip(".。"))


def tenths(means_of_boxes: pd.DataFrame) -> dict[Key, int]:
    """Return the mean of every box in whole tenths, rounded so that the boxes add up.

    Candidates and randomised are rounded as everywhere; what follows shares them out among its
    parts by largest remainders (Hamilton's method).
    """
    means: dict[Key, float] = {
        (row["box"], row["arm"], row["reason"]): row["mean"]
        for row in means_of_boxes.to_dict("records")
    }
    lost = [key for key in means if key[0] in LOST]
    shown = {key: _tenths(means[key]) for key in (EVERYBODY, RANDOMISED)}
    shown |= _shared(shown[EVERYBODY] - shown[RANDOMISED], {key: means[key] for key in lost})
    arms = [key for key in means if key[0] == "randomised" and key[1]]
    shown |= _shared(shown[RANDOMISED], {key: means[key] for key in arms})
    for allocated in arms:
        arm = [key for key in means if key[1] == allocated[1]]
        ends = {key: means[key] for key in arm if key[0] in ENDINGS}
        shown |= _shared(shown[allocated], ends)
        shown |= {key: min(_tenths(means[key]), shown[allocated]) for key in arm if key[0] in ASIDE}
    return {key: shown[key] for key in means}


def _tenths(mean: float) -> int:
    """The mean in tenths, rounded as its text is."""
    return round(10 * round(mean, 1))


def _shared(total: int, means: Mapping[Key, float]) -> dict[Key, int]:
    """So many tenths among parts with these means, by largest remainders; equal ones in order."""
    every = sum(means.values())
    exact = {key: total * mean / every if every else 0.0 for key, mean in means.items()}
    whole = {key: math.floor(share) for key, share in exact.items()}
    by_rest = sorted(exact, key=lambda key: whole[key] - exact[key])
    for key in by_rest[: total - sum(whole.values())] if every else []:
        whole[key] += 1
    return whole


def _figure(run: Run, tenths_shown: int) -> str:
    return run.say.number(tenths_shown / 10)


def _boxes(run: Run, shown: Mapping[Key, int]) -> tuple[list[Box], list[list[Spot]]]:
    """Candidates, who is lost, the randomised; then what becomes of each arm, side by side."""
    say, every, chosen = run.say, shown[EVERYBODY], shown[RANDOMISED]
    first = [(say.heading("candidates"), _figure(run, every))]
    top = Box((DIAGRAM - GAP) / 4 - TRUNK / 2, 1, TRUNK, first)
    excluded = [(say("consort.excluded"), _figure(run, every - chosen)), *_lost(run, shown)]
    aside = Box(DIAGRAM - SIDE - 1, top.below + GAP, SIDE, excluded)
    randomised = [(say.heading("randomised"), _figure(run, chosen))]
    split = Box(top.left, aside.below + GAP, TRUNK, randomised)
    centre = (aside.top + aside.below) / 2
    boxes = [top, aside, split]
    arrows = [
        [(top.middle, top.below), (top.middle, split.top)],
        [(top.middle, centre), (aside.left, centre)],
    ]
    arms = [_arm(run, shown, arm.name) for arm in run.protocol.arms]
    beside = max(len(arms), 2)  # a single arm stands below the trunk
    width, y = (DIAGRAM - GAP * (beside - 1)) / beside, split.below + 2 * GAP
    above = [split] * len(arms)
    for level in zip(*arms, strict=True):
        row = [
            Box(place * (width + GAP) + 1, y, width - 2, lines) for place, lines in enumerate(level)
        ]
        tallest = max(box.below - box.top for box in row)
        row = [box._replace(least=tallest) for box in row]
        arrows += [_down(old, new) for old, new in zip(above, row, strict=True)]
        boxes, above, y = [*boxes, *row], row, row[0].below + GAP
    return boxes, arrows


def _down(above: Box, below: Box) -> list[Spot]:
    """From a box to one beneath it, with a bend half-way where it stands elsewhere."""
    bend = below.top - GAP
    points = ((above.middle, above.below), (above.middle, bend), (below.middle, bend))
    return [*points, (below.middle, below.top)]


def _lost(run: Run, shown: Mapping[Key, int]) -> Iterator[Written]:
    """Who is not randomised, and why; of those who failed screening by the criterion."""
    for (box, _, reason), count in shown.items():
        if box in LOST and count:
            name, why = run.say.heading(box), run.say.title(reason)
            named = run.say.aside(name, why) if reason else name
            if box == "screen_failed":
                named = run.say("consort.failed", name=name, reason=why)
            yield named, _figure(run, count)


def _arm(run: Run, shown: Mapping[Key, int], arm: str) -> list[list[Written]]:
    """The lines of an arm's three boxes: allocation, follow-up, and how it ended."""

    def counted(*names: str) -> list[Written]:
        return [(run.say.heading(name), _figure(run, shown[name, arm, ""])) for name in names]

    reasons = {key[2]: n for key, n in shown.items() if key[:2] == ("left", arm)}
    left = [(run.say.heading(reason), _figure(run, n)) for reason, n in reasons.items() if n]
    dosed = [name for name in ASIDE if (name, arm, "") in shown]
    aside = dosed[:1] + [name for name in dosed[1:] if shown[name, arm, ""]]
    allocated = (run.arm_title(arm), _figure(run, shown["randomised", arm, ""]))
    return [
        [allocated, *counted(*aside)],
        [(run.say.heading("left"), _figure(run, sum(reasons.values()))), *left],
        counted("completed", "still_in_follow_up"),
    ]


def _table(run: Run, shown: Mapping[Key, int]) -> Table:
    """The boxes in order: who is left, and who was lost on the way."""
    say, means = run.say, run.tables["flow.csv"].fillna("")
    rows = []
    for box in means[(means["mean"] > 0) | (means["reason"] == "")].to_dict("records"):
        name, arm, reason = box["box"], box["arm"], box["reason"]
        title = say.heading(name)
        if arm and name == "randomised":
            title = say("consort.allocated", arm=run.arm_title(arm))
        middle = say.span(say.number(box["p10"], 0), say.number(box["p90"], 0))
        kind = "aside" if name in ASIDE else "lost" if name in (*LOST, *ENDINGS) else "kept"
        cells = [title, say.title(reason), _figure(run, shown[name, arm, reason]), middle]
        rows.append(TableRow(cells, kind))
    columns = ("consort.box", "consort.reason", "shared.mean", "shared.middle")
    header = [say(column) for column in columns]
    return Table(say("consort.title"), header, rows, say("consort.note"), texts=2)


def _diagram(boxes: Sequence[Box], arrows: Sequence[Sequence[Spot]], message: str) -> Chart:
    """The boxes and arrows at their own size, which a narrow page shrinks."""
    height = max(box.below for box in boxes) + 1
    frames = [(box.left, box.left + box.width, box.top, box.below) for box in boxes]
    legs = [
        (start[0], end[0], start[1], end[1]) for arrow in arrows for start, end in pairwise(arrow)
    ]
    ends = (arrow[-2:] for arrow in arrows)
    heads = [(x, y - TIP, 180) if x == before else (x - TIP, y, 90) for (before, _), (x, y) in ends]

    ends_of = ("x", "to_x", "y", "to_y")
    layers = [
        _placed(height, legs, *ends_of).mark_rule(color=GREY).encode(x2="to_x:Q", y2="to_y:Q"),
        _placed(height, heads, "x", "y", "angle")
        .mark_point(shape="triangle", filled=True, size=HEAD, color=GREY, opacity=1)
        .encode(angle=alt.Angle("angle:Q", scale=None)),
        _placed(height, frames, *ends_of)
        .mark_rect(fill="white", stroke=BLACK, strokeWidth=1, cornerRadius=2)
        .encode(x2="to_x:Q", y2="to_y:Q"),
    ]
    layers += _texts(boxes, height)
    chart: Chart = alt.layer(*layers, width=DIAGRAM, height=height, description=message)
    chart.usermeta = {"narrowest": READABLE}
    chart.autosize, chart.padding = "pad", 2
    return chart


def _placed(height: float, rows: Sequence[Any] | NDArray[Any], *columns: str) -> alt.Chart:
    """Rows by their pixels from the left and from the top, without axes."""
    across, down = alt.Scale(domain=[0, DIAGRAM]), alt.Scale(domain=[height, 0])
    x, y = alt.X("x:Q", axis=None, scale=across), alt.Y("y:Q", axis=None, scale=down)
    return alt.Chart(pd.DataFrame(rows, columns=[*columns])).encode(x=x, y=y)


def _texts(boxes: Sequence[Box], height: float) -> Iterator[alt.Chart]:
    """A layer for each width of box and weight of text, which marks cannot read from the data."""
    texts = pd.DataFrame(
        (
            *(box.left + PAD, box.left + box.width - PAD),
            box.top + PAD + LINE_HEIGHT * (place + 0.5),
            *(*line, box.width, "normal" if place else "bold"),
        )
        for box in boxes
        for place, line in enumerate(box.lines)
    )
    for alike, ours in texts.groupby([5, 6]):
        width, weight = cast("tuple[float, str]", alike)
        look: dict[str, Any] = {"fontWeight": weight, "fontSize": 12, "color": BLACK}
        limit = width - 2 * PAD - FIGURE_WIDTH
        names = _placed(height, ours[[0, 2, 3]].to_numpy(), "x", "y", "name")
        figures = _placed(height, ours[[1, 2, 4]].to_numpy(), "x", "y", "figure")
        name = names.mark_text(align="left", baseline="middle", limit=limit, **look)
        figure = figures.mark_text(align="right", baseline="middle", **look)
        yield name.encode(text="name:N", tooltip="name:N")
        yield figure.encode(text="figure:N")
