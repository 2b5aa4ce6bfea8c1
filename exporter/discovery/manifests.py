"""Static pods: every non-dot regular file of the directory, as the kubelet reads it.

Kubernetes ``pkg/kubelet/config/file.go`` (``extractFromDir`` takes any extension: a backup there runs, too).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from posixpath import join

from exporter.discovery.command import Command
from exporter.discovery.components import COMPONENTS
from exporter.discovery.flags import Flags, expand, invocation, parse_flags
from exporter.discovery.node_files import Documents, at, is_below, items_at, normalized, text_at
from exporter.model import Origin, Reason
from exporter.parsing import yaml

MANIFESTS_LIMIT = 500
"""How many files of a manifest directory are read."""
_KEPT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Volumes:
    """What of the host a container sees where."""

    mounts: tuple[tuple[str, str | None], ...]
    """Mount path and the host's path, None where a volume is none of the host's; the longest first."""

    def locate(self, path: str) -> str | None:
        """The host's path for a container's; None for what is not on the host."""
        inside = normalized(path)
        if inside is None:
            return None
        for point, source in self.mounts:
            if is_below(inside, point):
                return None if source is None else normalized(source + "/" + inside[len(point) :])
        return None


@dataclass(frozen=True, slots=True)
class _Container:
    component: str
    flags: Flags
    environment: Mapping[str, str]
    volumes: Volumes
    is_complete: bool
    """No variable comes from elsewhere."""


def static_pods(documents: Documents, directory: str) -> Iterator[Command]:
    """Yield the commands of all static pods of a directory, or of the one file that may stand there."""
    if not directory:
        return
    documents.directories[directory] = None
    names = [name for name in documents.files.names(directory) if not name.startswith(".")]
    if len(names) > MANIFESTS_LIMIT:
        documents.fail(directory, Reason.TOO_MANY_FILES)
    paths = [join(directory, name) for name in names[:MANIFESTS_LIMIT]] or [directory]
    for path in paths:
        content = documents.files.text(path)
        if isinstance(content, bytes):
            yield from _commands(documents, path, content)
        elif content not in {Reason.NOT_FOUND, Reason.NOT_REGULAR}:
            documents.fail(path, content)


def _commands(documents: Documents, path: str, content: bytes) -> Iterator[Command]:
    containers = _read(content) if len(content) <= _KEPT else _read.__wrapped__(content)
    if containers is None:
        documents.fail(path, Reason.MALFORMED_CONFIGURATION)
        return
    is_trusted = bool(containers) and documents.is_trusted(path)
    for container in containers:
        yield Command(
            component=container.component,
            flags=container.flags,
            origin=Origin.MANIFEST,
            document=path,
            environment=container.environment,
            locate=container.volumes.locate,
            is_trusted=is_trusted,
            is_complete=container.is_complete,
        )


@lru_cache(maxsize=MANIFESTS_LIMIT + 12)
def _read(content: bytes) -> tuple[_Container, ...] | None:
    """The components that a manifest starts; None where the kubelet would refuse the file."""
    document = yaml.load(content)
    pods = items_at(document, "items") or (document,)
    if not all(_is_pod(pod) for pod in pods):
        return None
    return tuple(container for pod in pods for container in _containers(pod))


def _is_pod(document: object) -> bool:
    return text_at(document, "kind") == "Pod" and bool(items_at(document, "spec", "containers"))


def _containers(pod: object) -> Iterator[_Container]:
    volumes = {
        text_at(volume, "name"): text_at(volume, "hostPath", "path") or None
        for volume in items_at(pod, "spec", "volumes")
    }
    label = text_at(pod, "metadata", "labels", "component")
    for container in (*items_at(pod, "spec", "initContainers"), *items_at(pod, "spec", "containers")):
        environment = _environment(container)
        words = [
            expand(word, environment)
            for word in (*items_at(container, "command"), *items_at(container, "args"))
            if isinstance(word, str)
        ]
        started = invocation(words, COMPONENTS) or _by_name(words, text_at(container, "name"), label)
        if started is not None:
            component, arguments = started
            yield _Container(
                component=component,
                flags=parse_flags(arguments),
                environment=environment,
                volumes=_volumes(container, volumes),
                is_complete=not items_at(container, "envFrom")
                and not any(_is_hidden(variable) for variable in items_at(container, "env")),
            )


def _by_name(words: Sequence[str], *names: str) -> tuple[str, tuple[str, ...]] | None:
    """The component of a container that leaves the program to its image and gives only flags."""
    component = next((name for name in names if name in COMPONENTS), None)
    if component is None or not words or not words[0].startswith("-"):
        return None
    return component, tuple(words)


def _environment(container: object) -> dict[str, str]:
    """The variables with a value of their own; those from elsewhere stay unknown."""
    environment: dict[str, str] = {}
    for variable in items_at(container, "env"):
        if name := text_at(variable, "name"):
            environment[name] = expand(text_at(variable, "value"), environment)
    return {name: value for name, value in environment.items() if value}


def _is_hidden(variable: object) -> bool:
    """A variable of etcd whose value stands somewhere else."""
    return text_at(variable, "name").startswith("ETCD_") and at(variable, "valueFrom") is not None


def _volumes(container: object, volumes: Mapping[str, str | None]) -> Volumes:
    mounts = []
    for mount in items_at(container, "volumeMounts"):
        point = normalized(text_at(mount, "mountPath"))
        source = volumes.get(text_at(mount, "name"))
        if source is not None and text_at(mount, "subPathExpr"):
            source = None
        elif source is not None:
            source = normalized(join(source, text_at(mount, "subPath").lstrip("/")))
        if point is not None:
            mounts.append((point, source))
    return Volumes(tuple(sorted(mounts, key=lambda mount: len(mount[0]), reverse=True)))
