"""Running static pods beside the manifests they come from."""

from collections.abc import Sequence
from dataclasses import replace

from exporter.discovery.command import Command, Locate
from exporter.discovery.node_files import Documents


def agreeing(
    documents: Documents, running: Sequence[Command], manifests: Sequence[Command]
) -> tuple[Command, ...]:
    """Give the running commands, with a manifest's word for a path where both lead to the same file.

    A container has the host's directories without the links on the way to them. What names only paths that
    are believed neither at once nor with a manifest is no component of this node, and is left out.
    """
    agreed = (_agreed(documents, command, manifests) for command in running)
    return tuple(
        command
        for command in agreed
        if not (paths := command.paths()) or any(command.locate(path) is not None for path in paths)
    )


def _agreed(documents: Documents, command: Command, manifests: Sequence[Command]) -> Command:
    manifest = next((manifest for manifest in manifests if manifest.component == command.component), None)
    return command if manifest is None else replace(command, locate=_locate(documents, command, manifest))


def _locate(documents: Documents, command: Command, manifest: Command) -> Locate:
    def locate(inside: str) -> str | None:
        seen, written = command.seen(inside), manifest.locate(inside)
        if seen is None or written is None or documents.resolved(written) != documents.resolved(seen):
            return command.locate(inside)
        return written

    return locate
