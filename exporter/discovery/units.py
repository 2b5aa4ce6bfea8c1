"""How systemd would start a service: unit, drop-ins, environment files (systemd.unit(5), systemd.exec(5))."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from posixpath import basename, join

from exporter.discovery.flags import unquoted
from exporter.discovery.node_files import Documents, normalized

DIRECTORIES = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
"""Where units lie, the strongest first."""

_BOOT = "/etc/systemd/system/multi-user.target.wants"
"""Links to what ``systemctl enable`` had start at boot."""
_WHOLE_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_BRACED_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_LINES_LIMIT = 10_000


@dataclass(slots=True)
class _Service:
    start: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    environment_files: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Started:
    """The words a service is started with, and whether only root can have written them."""

    unit: str
    words: tuple[str, ...]
    environment: Mapping[str, str]
    is_trusted: bool


def is_enabled(documents: Documents, name: str) -> bool:
    """Something wants the service to be started: an installed unit alone may never run."""
    return documents.exists(f"{_BOOT}/{name}")


def service(documents: Documents, name: str) -> Started | None:
    """The command line of a service; None where no unit of that name starts anything."""
    state = _Service()
    is_trusted = True
    paths = _files(documents, name)
    for path in paths:
        content = documents.text(path)
        if content is not None:
            is_trusted = is_trusted and documents.is_trusted(path)
            _apply(state, content.decode(errors="replace"))
    if not state.start:
        return None
    environment = dict(state.environment)
    for path in state.environment_files if is_trusted else ():
        is_trusted = is_trusted and documents.is_trusted(path)
        environment |= environment_file(documents, path)
    return Started(paths[0], tuple(words_of(state.start, environment)), environment, is_trusted)


def _files(documents: Documents, name: str) -> list[str]:
    """The unit, then its drop-ins by file name; a stronger directory's file hides its namesake."""
    units = (join(directory, name) for directory in DIRECTORIES)
    unit = next((path for path in units if documents.exists(path)), None)
    drop_ins: dict[str, str] = {}
    for directory in reversed(DIRECTORIES):
        folder = join(directory, f"{name}.d")
        names = [entry for entry in documents.files.names(folder) if entry.endswith(".conf")]
        drop_ins |= {entry: join(folder, entry) for entry in names}
    documents.directories |= dict.fromkeys(DIRECTORIES[:1])
    return [*([unit] if unit else []), *(drop_ins[entry] for entry in sorted(drop_ins))]


def _apply(state: _Service, text: str) -> None:
    section = ""
    for line in _lines(text):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if section != "Service" or not equals:
            continue
        if key == "ExecStart":
            state.start = value
        elif key == "Environment":
            state.environment = state.environment | _assignments(unquoted(value)) if value else {}
        elif key == "EnvironmentFile":
            path = normalized(value.lstrip("-"))
            state.environment_files = [*state.environment_files, *([path] if path else [])] if value else []


def _lines(text: str) -> Iterator[str]:
    """The lines that say something, those that end in a backslash joined with the next."""
    joined = re.sub(r"\\\n", " ", text.replace("\r\n", "\n"))
    for line in joined.split("\n")[:_LINES_LIMIT]:
        stripped = line.strip()
        if stripped and stripped[0] not in "#;":
            yield stripped


def environment_file(documents: Documents, path: str) -> dict[str, str]:
    """The variables of an environment file; empty where there is none."""
    content = documents.text(path)
    if content is None:
        return {}
    variables: dict[str, str] = {}
    for line in _lines(content.decode(errors="replace")):
        name, equals, value = line.removeprefix("export ").partition("=")
        if equals:
            variables[name.strip()] = " ".join(unquoted(value.strip()))
    return variables


def _assignments(words: list[str]) -> dict[str, str]:
    return {name: value for name, equals, value in (word.partition("=") for word in words) if equals}


def words_of(start: str, environment: dict[str, str]) -> Iterator[str]:
    """Expand a command line: ``$NAME`` alone becomes as many words as it has, ``${NAME}`` stays one."""
    for index, word in enumerate(unquoted(start)):
        whole = _WHOLE_VARIABLE.fullmatch(word)
        if whole is not None:
            yield from unquoted(environment.get(whole[1], ""))
        else:
            value = _BRACED_VARIABLE.sub(lambda name: environment.get(name[1], ""), word)
            yield value.lstrip("-@:+!") if index == 0 else value


def program(words: tuple[str, ...]) -> str:
    """The base name of what a command line starts."""
    return basename(words[0]) if words else ""
