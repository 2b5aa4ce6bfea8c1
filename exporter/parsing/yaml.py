"""YAML and JSON to plain values, bounded: the only door to the YAML library besides the settings.

Scalars are read as Kubernetes reads them (YAML 1.1 words for booleans), but a date stays text, and a key is
always text. Of several equal keys the last counts, of several documents the first: so does the kubelet.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

MAX_DEPTH = 100
MAX_NODES = 100_000
"""After aliases are followed; a manifest has hundreds, a kubeconfig of 1,000 users ten thousand."""

_SNIFFED_BYTES = 64
_MERGE = "<<"
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    word: value
    for value, words in ((True, ("y", "yes", "true", "on")), (False, ("n", "no", "false", "off")))
    for lower in words
    for word in (lower, lower.capitalize(), lower.upper())
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})")
_FLOAT = re.compile(r"[-+]?[0-9]{1,19}\.[0-9]{0,19}([eE][-+]?[0-9]{1,3})?")


class _RefusedError(ValueError):
    """The document is not one that its reader would take, or is too big."""


def load(content: bytes) -> object | None:
    """Read the first document; None where there is none or it cannot be read."""
    if content[:_SNIFFED_BYTES].lstrip().startswith(b"{"):
        value = _from_json(content)
        if value is not None:
            return value
    try:
        return _Composer().compose(yaml.parse(content, Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, ValueError):
        return None


def _from_json(content: bytes) -> object | None:
    try:
        value: object = json.loads(content.decode())
        if b"\\ud" in content.lower():  # JSON can name what UTF-8 cannot encode
            value = json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    return value


@dataclass(slots=True)
class _Open:
    """A collection whose end has not been seen."""

    value: list[object] | dict[str, object]
    anchor: str | None
    began: int
    key: str | None = None
    merged: dict[str, object] = field(default_factory=dict)


class _Composer:
    """Builds values from events without recursion and counts what aliases repeat."""

    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[object, int]] = {}
        self._nodes = 0
        self._root: object = None

    def compose(self, events: Iterator[yaml.Event]) -> object | None:
        """Build the first document."""
        for event in events:
            match event:
                case yaml.ScalarEvent():
                    self._scalar(event)
                case yaml.AliasEvent(anchor=anchor):
                    self._alias(anchor)
                case yaml.MappingStartEvent(anchor=anchor):
                    self._begin({}, anchor)
                case yaml.SequenceStartEvent(anchor=anchor):
                    self._begin([], anchor)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self._end()
                case yaml.DocumentEndEvent():
                    return self._root
        return None

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._count(1)
        value = event.value if self._is_key_next() else _resolved(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1)
        self._put(value)

    def _alias(self, anchor: str | None) -> None:
        if anchor is None or anchor not in self._anchors:
            raise _RefusedError
        value, nodes = self._anchors[anchor]
        self._count(nodes)
        self._put(value)

    def _begin(self, value: list[object] | dict[str, object], anchor: str | None) -> None:
        if len(self._open) >= MAX_DEPTH or self._is_key_next():
            raise _RefusedError
        self._open.append(_Open(value, anchor, self._nodes))
        self._count(1)

    def _end(self) -> None:
        ended = self._open.pop()
        value = ended.value
        if isinstance(value, dict) and ended.merged:
            value = {**ended.merged, **value}
        if ended.anchor is not None:
            self._anchors[ended.anchor] = (value, self._nodes - ended.began)
        self._put(value)

    def _put(self, value: object) -> None:
        if not self._open:
            self._root = value
            return
        top = self._open[-1]
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.key is None:
            if not isinstance(value, str):
                raise _RefusedError
            top.key = value
        else:
            if top.key == _MERGE:
                _merge(top.merged, value)
            else:
                top.value[top.key] = value
            top.key = None

    def _is_key_next(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].value, dict) and self._open[-1].key is None

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise _RefusedError


def _merge(merged: dict[str, object], value: object) -> None:
    """Add what ``<<`` names; of several mappings the first that has a key counts."""
    for mapping in value if isinstance(value, list) else [value]:
        if not isinstance(mapping, dict):
            raise _RefusedError
        for key, item in mapping.items():
            merged.setdefault(key, item)


def _resolved(event: yaml.ScalarEvent) -> object:
    text: str = event.value
    if not event.implicit[0]:  # quoted or tagged: text
        return text
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
