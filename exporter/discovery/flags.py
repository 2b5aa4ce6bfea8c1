"""Command lines as Go programs read them (spf13/pflag for Kubernetes, package flag for etcd)."""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from posixpath import basename

BOOLEANS = frozenset(
    {
        "allow-privileged",
        "also-stdout",
        "anonymous-auth",
        "auto-tls",
        "client-cert-auth",
        "disable-agent",
        "disable-apiserver",
        "disable-etcd",
        "fail-swap-on",
        "leader-elect",
        "peer-auto-tls",
        "peer-client-cert-auth",
        "profiling",
        "redirect-stderr",
        "rotate-certificates",
        "rotate-server-certificates",
        "serialize-image-pulls",
        "use-service-account-credentials",
    }
)
"""Flags that take no separate word: ``--f v`` sets them to true and leaves ``v`` alone."""

_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
"""What Go's ``strconv.ParseBool`` accepts."""

_SHELLS = frozenset({"sh", "bash", "ash", "dash"})
_OPERATORS = frozenset(";&|<>")
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$", re.MULTILINE)
_KUBERNETES_VARIABLE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)")
_SHELL_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")


@dataclass(frozen=True, slots=True)
class Flags:
    """The flags of one command line, each with all its values in order."""

    values: Mapping[str, tuple[str, ...]]

    def last(self, name: str) -> str:
        """The value that counts for a flag given several times; empty where it is not given."""
        return self.values.get(name, ("",))[-1]

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a flag that may be repeated."""
        return self.values.get(name, ())

    def boolean(self, name: str) -> bool | None:
        """Whether a flag is on; None where it is not given or its value is no boolean."""
        value = self.last(name)
        if value in _TRUE:
            return True
        return False if value in _FALSE else None


def parse_flags(arguments: Iterable[str]) -> Flags:
    """Read ``--f=v``, ``--f v``, ``-f=v`` and bare ``--f``, which is true; ``--`` ends the flags.

    Underscores count as dashes, as in every Kubernetes component (component-base ``WordSepNormalizeFunc``).
    """
    values: dict[str, list[str]] = {}
    pending = ""
    for word in arguments:
        if pending:
            name, pending = pending, ""
            if not word.startswith("-"):
                values[name].append(word)
                continue
            values[name].append("true")
        if word == "--":
            break
        if not word.startswith("-") or not word.strip("-"):
            continue
        name, equals, value = word.lstrip("-").partition("=")
        name = name.replace("_", "-")
        given = values.setdefault(name, [])
        if equals:
            given.append(value)
        elif name in BOOLEANS:
            given.append("true")
        else:
            pending = name
    if pending:
        values[pending].append("true")
    return Flags({name: tuple(given) for name, given in values.items()})


def unquoted(words: str) -> list[str]:
    """Split text into words as a shell would; at white space alone where its quotes do not match."""
    lexer = shlex.shlex(words.replace("\\\n", " "), posix=True, punctuation_chars="".join(_OPERATORS))
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError:
        return words.split()


def invocation(words: Sequence[str], components: frozenset[str]) -> tuple[str, tuple[str, ...]] | None:
    """The component that a command starts, with its arguments.

    It may stand behind a wrapper (``go-runner``, ``nice``, ``exec``) or inside the script of ``sh -c``.
    """
    script = _script(words)
    tokens = list(words) if script is None else unquoted(_COMMENT.sub("", script))
    for index, token in enumerate(tokens):
        if token.startswith("-") or basename(token) not in components:
            continue
        arguments = _until_operator(tokens[index + 1 :]) if script is not None else tokens[index + 1 :]
        if script is None or any(argument.startswith("-") for argument in arguments):
            return basename(token), tuple(arguments)
    return None


def _script(words: Sequence[str]) -> str | None:
    """The script of ``sh -c SCRIPT`` (also ``-ec`` and the like), None for any other command."""
    if not words or basename(words[0]) not in _SHELLS:
        return None
    for option, script in pairwise(words[1:]):
        if option.startswith("-") and not option.startswith("--") and option.endswith("c"):
            return script
    return None


def _until_operator(tokens: Sequence[str]) -> list[str]:
    arguments: list[str] = []
    for token in tokens:
        if token and set(token) <= _OPERATORS:
            break
        arguments.append(token)
    return arguments


def expand(word: str, environment: Mapping[str, str]) -> str:
    """Replace ``$(NAME)``, ``${NAME}`` and ``$NAME`` where the environment has the name."""

    def known(match: re.Match[str]) -> str:
        name = match[1] or match[match.lastindex or 1]
        return environment.get(name, match[0])

    return _SHELL_VARIABLE.sub(known, _KUBERNETES_VARIABLE.sub(known, word))
