"""What the operator asked for: flags over one YAML file over defaults, checked once."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import yaml

from exporter.address import ListenAddress, parse_address
from exporter.model import Role, Search
from exporter.parsing import yaml as bounded_yaml


class SettingsError(ValueError):
    """A setting that cannot be used; the message names the place, the key and what is allowed."""


DEFAULT_ADDRESS = ListenAddress("127.0.0.1", 9795)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set, with defaults that work on a Kubernetes node."""

    host_root: str = "/"
    """The tree to look at; symbolic links are resolved inside it."""
    listen: ListenAddress = DEFAULT_ADDRESS
    interval: float = 300.0
    """Seconds between scans that nothing rang for."""
    watch: tuple[Search, ...] = ()
    """Further files, directories and globs; all of them count as in use."""
    match_keys: bool = True
    """Open the private keys of leaves to compare their public half."""
    max_file_size: int = 1 << 20
    """Bytes; a larger file is a failure, not a read."""
    max_files: int = 20_000
    """How many files are looked at in one scan."""
    web_config_file: str = ""
    """TLS and authentication, in the format of Prometheus' exporter-toolkit."""
    web_open_details: bool = False
    """Show the page and the inventory to anybody who can reach the address."""
    log_level: str = "info"
    log_format: str = "logfmt"
    node_name: str = ""


LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("logfmt", "json")

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SIZES = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20}

_MOST_DAYS = 36_500
_MOST_BYTES = 1 << 30
_MOST_FILES = 1_000_000


def duration(text: object) -> float:
    """Read a Prometheus duration such as ``90s``, ``5m`` or ``1h30m``, in seconds.

    Raises:
        SettingsError: it is none, or longer than a century.

    """
    parts = re.findall(r"([0-9]{1,15})(ms|[smhdw])", str(text))
    seconds = float(sum(int(number) * _UNITS[unit] for number, unit in parts))
    is_whole = parts and "".join(number + unit for number, unit in parts) == str(text)
    if not is_whole or seconds > _MOST_DAYS * _UNITS["d"]:
        message = (
            f"{text!r} is no duration; allowed: numbers with ms, s, m, h, d or w, such as 5m or 1h30m, "
            f"up to {_MOST_DAYS}d"
        )
        raise SettingsError(message)
    return seconds


def search(text: str) -> Search:
    """Read ``PATTERN`` or ``PATTERN=ROLE``.

    Raises:
        SettingsError: the pattern is not absolute or the role is not one of ours.

    """
    pattern, separator, role = text.rpartition("=")
    if not separator or role not in set(Role):
        pattern, role = text, ""
    return _search(pattern, role)


def load(path: str) -> Settings:
    """Read the configuration file.

    Raises:
        SettingsError: it cannot be read, has an unknown key or a bad value.

    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        raise SettingsError(message) from None
    document = bounded_yaml.load(content)
    if document is None and (objection := _objection(content)):
        message = f"{path}: cannot be read: {objection}"
        raise SettingsError(message)
    given = document or {}
    if not isinstance(given, Mapping):
        message = f"{path}: must hold keys and values"
        raise SettingsError(message)
    values = {}
    for key, value in given.items():
        if key not in _READERS:
            message = f"{path}: unknown key {key!r}; allowed: {', '.join(_READERS)}"
            raise SettingsError(message)
        try:
            values[key] = _READERS[key](value)
        except SettingsError as error:
            message = f"{path}: {key}: {error}"
            raise SettingsError(message) from None
    return replace(Settings(), **values)


def _objection(content: bytes) -> str:
    """Say what keeps a file from being read, and where; empty where there is nothing to read."""
    try:
        events = list(yaml.parse(content, Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        return str(error).replace('"<byte string>"', "it")
    has_values = any(isinstance(event, yaml.CollectionStartEvent) for event in events)
    return "it is nested too deeply, too large, or has a key that is no text" if has_values else ""


def override(settings: Settings, flags: Mapping[str, Any]) -> Settings:
    """Let flags that were given win over the file; patterns add to the file's."""
    known = {field.name for field in fields(Settings)}
    given = {name: value for name, value in flags.items() if name in known and value is not None}
    given["watch"] = (*settings.watch, *given.get("watch", ()))
    return replace(settings, **given)


def _search(pattern: object, role: object = "") -> Search:
    if not isinstance(pattern, str) or not pattern.startswith("/"):
        message = f"{pattern!r} is no absolute path or glob, such as /opt/pki/*.crt"
        raise SettingsError(message)
    if role and role not in tuple(Role):
        message = f"unknown role {role!r}; allowed: {', '.join(Role)}"
        raise SettingsError(message)
    return Search(pattern=pattern, role=Role(str(role)) if role else None, is_operators=True)


def _searches(value: object) -> tuple[Search, ...]:
    if not isinstance(value, list):
        message = f"{value!r} is no list of patterns"
        raise SettingsError(message)
    found = []
    for item in value:
        if isinstance(item, str):
            found.append(search(item))
        elif isinstance(item, Mapping) and "pattern" in item and set(item) <= {"pattern", "role"}:
            found.append(_search(item["pattern"], item.get("role", "")))
        else:
            message = f"{item!r} is neither a pattern nor a mapping of pattern and role"
            raise SettingsError(message)
    return tuple(found)


def _positive_duration(value: object) -> float:
    seconds = duration(value)
    if seconds < 1:
        message = f"{value!r} is shorter than 1s"
        raise SettingsError(message)
    return seconds


def _size(value: object) -> int:
    match = re.fullmatch(r"([0-9]{1,10})\s*([A-Za-z]*)", str(value))
    size = int(match[1]) * _SIZES.get(match[2], 0) if match else 0
    if not 0 < size <= _MOST_BYTES:
        message = f"{value!r} is no size; allowed: a number of bytes, KiB or MiB, up to 1024MiB"
        raise SettingsError(message)
    return size


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST_FILES:
        message = f"{value!r} is no positive number up to {_MOST_FILES}"
        raise SettingsError(message)
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        message = f"{value!r} is not true or false"
        raise SettingsError(message)
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        message = f"{value!r} is no text"
        raise SettingsError(message)
    return value


def _one_of(allowed: tuple[str, ...]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in allowed:
            message = f"{value!r} is not one of {', '.join(allowed)}"
            raise SettingsError(message)
        return str(value)

    return read


def _address(value: object) -> ListenAddress:
    try:
        return parse_address(str(value))
    except ValueError as error:
        raise SettingsError(str(error)) from None


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "host_root": _text,
    "listen": _address,
    "interval": _positive_duration,
    "watch": _searches,
    "match_keys": _boolean,
    "max_file_size": _size,
    "max_files": _count,
    "web_config_file": _text,
    "web_open_details": _boolean,
    "log_level": _one_of(LOG_LEVELS),
    "log_format": _one_of(LOG_FORMATS),
    "node_name": _text,
}
"""One reader per key of the file; the command line uses the same for its flags."""


def read_flag(name: str, text: str) -> Any:  # noqa: ANN401 - each key has its own type
    """Check the text of a flag as the file's value of that name is checked.

    Raises:
        SettingsError: it cannot be used.

    """
    return _READERS[name](int(text) if name == "max_files" and text.isdigit() else text)
