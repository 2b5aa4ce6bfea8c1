"""One component's command line, wherever it was found, with the way from its paths to the host's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from exporter.discovery.flags import Flags
from exporter.discovery.node_files import normalized
from exporter.model import Origin

Locate = Callable[[str], str | None]
"""From a path as the component sees it to the host's; None for what is not on the host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What one component was, or will be, started with."""

    component: str
    flags: Flags
    origin: Origin
    document: str = ""
    """Where it stands; empty for a process and a convention."""
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    locate: Locate = normalized
    seen: Locate = normalized
    """The same, whatever part of the host it leads to: to be believed only with a manifest that says so."""
    is_trusted: bool = True
    """Nobody but root can have written it."""
    started: float | None = None
    """Unix time at which a process started."""
    is_complete: bool = True
    """No environment variable can say what the command line does not."""

    def paths(self) -> list[str]:
        """The absolute paths among the flags' values, as the component sees them."""
        given = (value for values in self.flags.values.values() for value in values)
        return [path for value in given if (path := normalized(value)) is not None]

    def value(self, flag: str, default: str = "") -> str:
        """The flag's value, or that of etcd's variable of the same meaning (etcd ``pkg/flags/flag.go``)."""
        if flag in self.flags.values:
            return self.flags.last(flag)
        return self.environment.get("ETCD_" + flag.upper().replace("-", "_"), default)
