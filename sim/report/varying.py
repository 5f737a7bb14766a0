"""Question 5 of the page: what if? One run has no answer; this says which commands have."""

from __future__ import annotations

from sim.report.page import PAGE, Answer, Row, Run, Table

COMMANDS = {
    "compare": "trialsim compare {}.yaml other.yaml",
    "sweep": "trialsim sweep {}.yaml --tornado",
    "solve": "trialsim solve {}.yaml --move PATH --until TARGET",
}


def answer(run: Run) -> Answer:
    """Return which commands answer what one run cannot, ready to be typed for this scenario."""
    say, name = run.say, run.scenario.scenario
    rows = [
        Row([say(f"varying.{command}"), COMMANDS[command].format(name)]) for command in COMMANDS
    ]
    header = [say("varying.question"), say("varying.command")]
    table = Table(say("varying.table"), header, rows, texts=2)
    lead = say("varying.joined" if run.joined else "varying.lead")
    links = {f"{each.name}/{PAGE}": each.verdict for each in run.joined}
    return Answer("varying", say("varying.title"), lead, (), [table], links=links)
