"""From a node's own configuration: who uses which file, in which role, and what must be looked at besides.

Settings in references are named so that a check can ask for them on every distribution:

- a flag without its dashes (``client-ca-file``), also where a distribution's default command line stands for
  it (origin ``convention``), and for etcd also where its configuration file says it;
- a kubelet field in full where the configuration says it (``authentication.x509.clientCAFile``), the flag
  where a flag does; ``rotateCertificates`` and ``serverTLSBootstrap`` (or their flags) for the
  ``...-current.pem`` links, ``cert-dir`` for the pair the kubelet makes itself;
- what a kubeconfig or another configuration file names has the setting that names that file
  (``kubeconfig``, ``authentication-kubeconfig``, ``egress-selector-config-file``);
- a file that is used without any flag has the distribution's name (``kubeadm``), and the program that uses it
  as component (``kubectl`` for admin.conf).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from exporter.discovery.agreement import agreeing
from exporter.discovery.command import Command
from exporter.discovery.commands import (
    argument_files,
    default_commands,
    disabled_components,
    enabled_components,
    kubelet_commands,
    services,
)
from exporter.discovery.component_configs import with_openshift_arguments
from exporter.discovery.components import CONTROL_PLANE
from exporter.discovery.distributions import KNOWN_DIRECTORIES, Layout, detect
from exporter.discovery.etcd import Etcd, etcd
from exporter.discovery.files_of import conventions, files_of
from exporter.discovery.kubeconfigs import named_beside
from exporter.discovery.kubelet import Kubelet, kubelet
from exporter.discovery.manifests import static_pods
from exporter.discovery.names import api_names, host_name, name_of_node, node_addresses
from exporter.discovery.node_files import Documents, NodeFiles, is_below_any
from exporter.discovery.operator import operator_references
from exporter.discovery.processes import Counted, counted, programs_of
from exporter.discovery.references import References, authority_keys
from exporter.discovery.relocation import relocated, with_certificates_of
from exporter.discovery.users import gids_of, uids_of
from exporter.model import Discovery, File, Listener, Node, NodeType, Origin, Process, Search

__all__ = ["NodeFiles", "authority_keys", "certificates_named_by", "discover"]

_STRENGTH = {origin: strength for strength, origin in enumerate(Origin)}


def discover(
    files: NodeFiles,
    processes: Sequence[Process] | None,
    *,
    watch: Sequence[Search],
    node_name: str,
) -> Discovery:
    """Learn everything the node's configuration tells; *processes* are None where /proc is not to be seen."""
    documents = Documents(files)
    layout = relocated(documents, detect(documents.exists, programs_of(processes or ())))
    known = (*KNOWN_DIRECTORIES, *layout.directories)
    evidence = counted(processes or (), uids_of(documents, layout) or frozenset())
    references = References(lambda path: is_below_any(path, known))
    found = _Found.of(documents, references, layout, evidence)
    files.seal(authority_keys(references.settled(found.layout.roles)[0]))
    searches = operator_references(documents, references, watch)
    settled, refused = references.settled(found.layout.roles)
    return Discovery(
        node=_node(documents, layout, evidence, found, node_name),
        references=settled,
        searches=(
            *(Search(pattern=pattern) for pattern in _distinct((*layout.searches, *found.kubelet.searches))),
            *searches,
        ),
        directories=tuple(sorted(documents.directories)),
        failures=(*sorted(documents.failures.values(), key=lambda failure: failure.place), *refused),
    )


def certificates_named_by(files: NodeFiles, file: File) -> tuple[str, ...]:
    """The certificate files that a kubeconfig names which nothing refers to, as far as it is believed.

    What somebody other than root can have written leads only to where certificates belong.
    """
    named = tuple(named_beside(file))
    if not named or Documents(files).is_trusted(file.path):
        return named
    return tuple(path for path in named if is_below_any(path, KNOWN_DIRECTORIES))


@dataclass(slots=True)
class _Found:
    """What the components' command lines and files told."""

    layout: Layout
    """The distribution's, with its certificates where the components are told that they are."""
    kubelet: Kubelet
    commands: list[Command]
    enabled: frozenset[str]
    strangers: int
    """Processes that no manifest agrees with."""
    starts: dict[str, float]
    """Component to the start of its first process."""
    servers: list[str] = field(default_factory=list)
    etcds: list[Etcd] = field(default_factory=list)

    @classmethod
    def of(cls, documents: Documents, references: References, layout: Layout, evidence: Counted) -> "_Found":
        """Follow each command line, and then what the distribution does without one."""
        own = kubelet_commands(documents, layout, evidence)
        node = kubelet(documents, references, own)
        manifests = tuple(static_pods(documents, _manifests(layout, node)))
        running = tuple(command for command in evidence.commands if command.component != "kubelet")
        believed = agreeing(documents, running, manifests)
        commands: list[Command] = []
        for command in (*believed, *manifests):
            commands += with_openshift_arguments(documents, references, command)
        commands += services(documents, layout)
        commands += argument_files(documents, layout, disabled_components(documents, layout))
        enabled = enabled_components(documents, layout, evidence, [*own, *commands])
        known = frozenset(command.component for command in commands)
        commands += default_commands(documents, layout, enabled, known)
        layout = with_certificates_of(layout, commands)
        found = cls(
            layout,
            node,
            commands,
            enabled,
            strangers=len(running) - len(believed),
            starts=_starts((*own, *believed), evidence),
        )
        for command in (*own, *commands):
            if command.component == "etcd":
                found.etcds += [member] if (member := etcd(documents, references, command)) else []
            else:
                found.servers += files_of(documents, references, command)
        found.servers += conventions(documents, references, layout, enabled)
        return found


def _manifests(layout: Layout, node: Kubelet) -> str:
    """The static pod directory: the kubelet's, the usual one only where nothing tells of its settings."""
    is_unknown = node.settings.rotate_certificates is None
    return node.settings.static_pod_path or (layout.manifests if is_unknown else "")


def _node(documents: Documents, layout: Layout, evidence: Counted, found: _Found, given_name: str) -> Node:
    is_control_plane = bool(found.enabled & CONTROL_PLANE)
    host = host_name(documents)
    return Node(
        name=name_of_node(found.kubelet, given_name, host),
        host_name=host,
        distribution=layout.distribution,
        type=NodeType.CONTROL_PLANE if is_control_plane else NodeType.WORKER,
        addresses=node_addresses(found.kubelet),
        api_names=api_names(documents, layout, found.kubelet, found.servers, found.commands),
        etcd_names=_distinct(name for member in found.etcds for name in member.names),
        etcd_peer_names=_distinct(name for member in found.etcds for name in member.peer_names),
        kubelet=found.kubelet.settings,
        listeners=_listeners(found.etcds),
        etcd_path=next((member.document for member in found.etcds if member.document), ""),
        etcd_auto_tls=_distinct(name for member in found.etcds for name in member.auto_tls),
        component_users=uids_of(documents, layout),
        component_groups=gids_of(documents, layout) or frozenset(),
        processes_ignored=_ignored(evidence, found.strangers),
        component_starts=found.starts,
    )


def _starts(commands: Iterable[Command], evidence: Counted) -> dict[str, float]:
    starts: dict[str, float] = {}
    found = [(command.component, command.started) for command in commands]
    for component, started in (*found, *((name, item.started) for name, item in evidence.programs.items())):
        if started is not None:
            starts[component] = min(starts.get(component, started), started)
    return dict(sorted(starts.items()))


def _ignored(evidence: Counted, strangers: int) -> dict[str, int]:
    ignored = Counter(evidence.ignored)
    ignored["foreign_mounts"] += strangers
    return {reason: count for reason, count in sorted(ignored.items()) if count}


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _listeners(etcds: Iterable[Etcd]) -> tuple[Listener, ...]:
    """Each URL once: by evidence that knows whether clients are asked for a certificate, then by strength."""
    chosen: dict[tuple[str, str], Listener] = {}
    for listener in (listener for member in etcds for listener in member.listeners):
        key = (listener.listener, listener.url)
        chosen[key] = min(chosen.get(key, listener), listener, key=_doubt)
    return tuple(chosen[key] for key in sorted(chosen))


def _doubt(listener: Listener) -> tuple[bool, int]:
    return listener.client_auth == "unknown", _STRENGTH[listener.origin]
