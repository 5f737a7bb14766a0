"""The flow of participants as the CONSORT statement draws it (Schulz, Altman and Moher 2010)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from sim.report import boxes
from sim.report.boxes import WIDTH, Arrow, Box, Line
from sim.report.page import Figure, Row, Run, Table
from sim.vocabulary.words import Words

LOST = (
    *("not_eligible_on_chart", "not_consenting", "screen_failed", "withdrew_in_screening"),
    *("turned_away", "still_in_screening"),
)
"""Boxes of the flow that hold who is not randomised."""

ENDINGS = ("left", "completed", "still_in_follow_up")
"""Boxes that share out the participants of an arm."""

ASIDE = ("received_first_dose", "stopped_treatment")
"""Boxes that count some of an arm's participants another time."""

GAP, TRUNK, SIDE = 28, 300, 440
"""Pixels between boxes, and the widths of the boxes of everybody and of those who are lost."""

Key = tuple[str, str, str]
"""box, arm, reason"""

EVERYBODY: Key = ("candidates", "", "")
RANDOMISED: Key = ("randomised", "", "")


def figure(run: Run) -> Figure:
    """Return the mean flow of participants, drawn, with boxes that add up as shown."""
    say, title, shown = run.say, run.say("consort.title"), tenths(run.tables["flow.csv"].fillna(""))
    ends = {
        end: sum(count for (box, arm, _), count in shown.items() if box == end and arm)
        for end in ENDINGS
    }
    message = say(
        "consort.message",
        candidates=_figure(say, shown[EVERYBODY]),
        randomised=_figure(say, shown[RANDOMISED]),
        **{end: _figure(say, count) for end, count in ends.items()},
    )
    return Figure(title, boxes.drawn(*_boxes(run, shown), message), _table(run, shown))


def tenths(flow: pd.DataFrame) -> dict[Key, int]:
    """Return the mean of every box in whole tenths, rounded so that the boxes add up.

    Candidates and randomised are rounded as everywhere; what follows shares them out among its
    parts by largest remainders (Hamilton's method).
    """
    means: dict[Key, float] = {
        (row["box"], row["arm"], row["reason"]): row["mean"] for row in flow.to_dict("records")
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


def _figure(say: Words, tenths_shown: int) -> str:
    return say.number(tenths_shown / 10)


def _boxes(run: Run, shown: Mapping[Key, int]) -> tuple[list[Box], list[Arrow]]:
    """Candidates, who is lost, the randomised; then what becomes of each arm, side by side."""
    say, every, chosen = run.say, shown[EVERYBODY], shown[RANDOMISED]
    top = Box(
        (WIDTH - GAP) / 4 - TRUNK / 2, 1, TRUNK, [_line(say, say.heading("candidates"), every)]
    )
    lost = [_line(say, _lost(run, key), n) for key, n in shown.items() if key[0] in LOST and n]
    excluded = [_line(say, say("consort.excluded"), every - chosen), *lost]
    aside = Box(WIDTH - SIDE - 1, top.below + GAP, SIDE, excluded)
    split = Box(top.left, aside.below + GAP, TRUNK, [_line(say, say.heading("randomised"), chosen)])
    stem = Arrow([(top.middle, top.below), (top.middle, split.top)])
    branch = Arrow([(top.middle, aside.centre), (aside.left, aside.centre)])
    drawn, arrows = [top, aside, split], [stem, branch]
    arms = [_arm(run, shown, arm.name) for arm in run.protocol.arms]
    beside = max(len(arms), 2)  # a single arm stands below the trunk
    width, y = (WIDTH - GAP * (beside - 1)) / beside, split.below + 2 * GAP
    above = [split] * len(arms)
    for level in zip(*arms, strict=True):
        row = [
            Box(place * (width + GAP) + 1, y, width - 2, lines) for place, lines in enumerate(level)
        ]
        tallest = max(box.height for box in row)
        row = [box._replace(least=tallest) for box in row]
        arrows += [_down(old, new) for old, new in zip(above, row, strict=True)]
        drawn, above, y = [*drawn, *row], row, row[0].below + GAP
    return drawn, arrows


def _down(above: Box, below: Box) -> Arrow:
    """From a box to one beneath it, with a bend half-way where it stands elsewhere."""
    bend = below.top - GAP
    points = ((above.middle, above.below), (above.middle, bend), (below.middle, bend))
    return Arrow([*points, (below.middle, below.top)])


def _arm(run: Run, shown: Mapping[Key, int], arm: str) -> list[list[Line]]:
    """The lines of an arm's three boxes: allocation, follow-up, and how it ended."""
    say = run.say

    def lines(*names: str) -> list[Line]:
        return [_line(say, say.heading(name), shown[name, arm, ""]) for name in names]

    reasons = {key[2]: n for key, n in shown.items() if key[:2] == ("left", arm)}
    left = [_line(say, say.heading(reason), n) for reason, n in reasons.items() if n]
    stopped = [name for name in ASIDE[1:] if shown[name, arm, ""]]
    allocated = _line(say, run.arm_title(arm), shown["randomised", arm, ""])
    return [
        [allocated, *lines(ASIDE[0], *stopped)],
        [_line(say, say.heading("left"), sum(reasons.values())), *left],
        lines("completed", "still_in_follow_up"),
    ]


def _line(say: Words, name: str, tenths_shown: int) -> Line:
    return Line(name, _figure(say, tenths_shown))


def _lost(run: Run, key: Key) -> str:
    """Why somebody is not randomised; of those who failed screening the criterion too."""
    box, _, reason = key
    name = run.say.heading(box)
    return run.say("consort.failed", name=name, reason=run.say.title(reason)) if reason else name


def _table(run: Run, shown: Mapping[Key, int]) -> Table:
    """The boxes in order: who is left, and who was lost on the way."""
    say, flow = run.say, run.tables["flow.csv"].fillna("")
    rows = []
    for box in flow[(flow["mean"] > 0) | (flow["reason"] == "")].to_dict("records"):
        name, arm, reason = box["box"], box["arm"], box["reason"]
        title = say.heading(name)
        if arm and name == "randomised":
            title = say("consort.allocated", arm=run.arm_title(arm))
        middle = say.span(say.number(box["p10"], 0), say.number(box["p90"], 0))
        kind = "aside" if name in ASIDE else "lost" if name in (*LOST, *ENDINGS) else "kept"
        cells = [title, say.title(reason), _figure(say, shown[name, arm, reason]), middle]
        rows.append(Row(cells, kind))
    columns = ("consort.box", "consort.reason", "shared.mean", "shared.middle")
    header = [say(column) for column in columns]
    return Table(say("consort.title"), header, rows, say("consort.note"), texts=2)
