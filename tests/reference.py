"""The reference of all keys of a scenario, as Markdown, from its JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sim.scenario.schema import json_schema

HEAD = """# Every key of a scenario

A scenario is a YAML file. This page is made from the schema that also tells editors what is
allowed. A number may stand alone or be written with what is known about it, as
`{value: 0.6, range: [0.4, 0.8], evidence: literature, source: "…"}`: the range counts as the
middle 90 % of what one believes, and `evidence` is one of registry, literature, data, expert and
assumption. `<name>` is a name of your own. What has no default must be said.
"""


def reference() -> str:
    """Return the page."""
    return "\n".join([HEAD, *_Reference(json_schema()).lines()])


class _Reference:
    def __init__(self, schema: dict[str, Any]) -> None:
        self._root, self._defined = schema, schema["$defs"]
        self._waiting: list[tuple[str, dict[str, Any]]] = [("", schema)]
        self._homes: dict[str, str] = {}
        self._families: dict[str, dict[str, Any]] = {}

    def lines(self) -> Iterator[str]:
        """Yield the sections in the order in which a reader meets them."""
        while self._waiting:
            path, section = self._waiting.pop(0)
            found = len(self._waiting)
            yield f"## `{path}`\n" if path else "## The file\n"
            yield from self._section(path, section)
            self._waiting = self._waiting[found:] + self._waiting[:found]
        yield "## Distributions\n"
        for family, section in self._families.items():
            yield f"### `{family}`\n"
            yield from self._section(family, section)

    def _section(self, path: str, section: dict[str, Any]) -> Iterator[str]:
        yield f"{section.get('description', '')}\n"
        for key, entry in section.get("properties", {}).items():
            takes = self._takes(f"{path}.{key}".strip("."), entry)
            text = " ".join(entry.get("description", "").split())
            yield f"- **`{key}`** ({takes}{_default(entry)}){f': {text}' if text else ''}"
        yield ""

    def _takes(self, path: str, entry: dict[str, Any]) -> str:
        """What an entry takes; the sections it may be are noted for later."""
        if "$ref" in entry:
            return self._of_ref(path, entry["$ref"].rpartition("/")[2])
        if "anyOf" in entry or "oneOf" in entry:
            every = [self._takes(path, each) for each in entry.get("anyOf") or entry["oneOf"]]
            return " or ".join(dict.fromkeys(each for each in every if each != "null"))
        if "enum" in entry or "const" in entry:
            return ", ".join(f"`{each}`" for each in entry.get("enum", [entry.get("const")]))
        if entry.get("type") == "array":
            return f"a list of {self._takes(path, entry.get('items', {}))}"
        if entry.get("type") == "object":
            inside = [*entry.get("patternProperties", {}).values()]
            other = entry.get("additionalProperties")
            inside += [other] if isinstance(other, dict) else []
            kinds = [self._takes(f"{path}.<name>", each) for each in inside]
            return f"by name, {' or '.join(dict.fromkeys(kinds))}"
        return _plain(entry)

    def _of_ref(self, path: str, name: str) -> str:
        defined = self._defined[name]
        if "properties" not in defined:
            numbers = [each for each in defined.get("anyOf", []) if "type" in each]
            return _plain(numbers[0]) if numbers else self._takes(path, defined)
        if "family" in defined["properties"]:
            self._families[name.lower()] = defined
            return "a [distribution](#distributions)"
        if name not in self._homes:
            self._homes[name] = path
            self._waiting.append((path, defined))
        return f"[`{self._homes[name]}`](#{_anchor(self._homes[name])})"


def _anchor(path: str) -> str:
    return "".join(each for each in path.lower() if each.isalnum() or each in "_-")


KINDS = {
    "number": "number",
    "integer": "whole number",
    "boolean": "true or false",
    "null": "null",
}


def _plain(entry: dict[str, Any]) -> str:
    kind = "date" if entry.get("format") == "date" else KINDS.get(entry.get("type", ""), "text")
    low, high = entry.get("minimum"), entry.get("maximum")
    if low is None and high is None:
        return kind
    ends = [_figure(each) for each in (low, high) if each is not None]
    return f"{kind} from {' to '.join(ends)}"


def _figure(limit: float) -> str:
    return f"{limit:,}" if isinstance(limit, int) else f"{limit:g}"


def _default(entry: dict[str, Any]) -> str:
    """The default of what is no section; sections have those of their keys."""
    default = entry.get("default", {})
    if isinstance(default, dict):
        return ""
    if default in ([], "", None):
        return ", or left out"
    return f", default `{str(default).lower() if isinstance(default, bool) else default}`"
