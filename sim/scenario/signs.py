"""The signs of a Chinese keyboard, and others, that stand where YAML wants plain ones."""

from __future__ import annotations

from typing import NamedTuple
from unicodedata import normalize

_QUOTES = dict.fromkeys("“”„「」『』", '"') | dict.fromkeys("‘’‚", "'")
_PLAIN = str.maketrans(_QUOTES | dict(zip("、。【】—–−", ",.[]---", strict=True)))

LONGEST_LINE = 60
"""Letters of a line that is said again as it was meant."""

INSTEAD = {
    ":": "':' and a space",
    ",": "',' and a space",
    ";": "',' and a space",
    "(": "'['",
    ")": "']'",
    "%": "a share, such as 0.1",
}
"""What to write where the plain sign alone would not do."""


class Sign(NamedTuple):
    """A sign that YAML does not know, at an index of a text."""

    at: int
    what: str
    instead: str


def in_plain_signs(text: str) -> str:
    """Return a text with plain signs in place of full-width and typographic ones."""
    return normalize("NFKC", text.translate(_PLAIN))


def plainly(line: str) -> str:
    """Return a short line as it was probably meant; an empty text where it says that already."""
    spaced = line.translate({ord("："): ": ", ord("，"): ", "})
    meant, written = (" ".join(each.split()) for each in (in_plain_signs(spaced), line))
    return meant if meant != written and len(meant) <= LONGEST_LINE else ""


def first_sign(text: str, start: int = 0, end: int | None = None) -> Sign | None:
    """Return the first full-width or typographic sign or tab of a part of a text, if any.

    Comments may hold any sign.
    """
    in_comment = False
    for index in range(start, len(text) if end is None else end):
        each = text[index]
        in_comment = each != "\n" and (
            in_comment or (each == "#" and text[index - 1 : index] in " \n")
        )
        if not in_comment and (
            each == "\t" or (in_plain_signs(each) != each and in_plain_signs(each).isascii())
        ):
            return Sign(index, *_told(each))
    return None


def _told(sign: str) -> tuple[str, str]:
    if sign == "\t":
        return "a tab", "spaces alone"
    what = f"the quotation mark {sign}" if sign in _QUOTES else f"the full-width sign {sign}"
    return what, INSTEAD.get(in_plain_signs(sign), repr(in_plain_signs(sign)))
