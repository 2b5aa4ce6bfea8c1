"""What the node is called, and which names its servers must prove, as far as its configuration tells."""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence

from exporter.discovery.command import Command
from exporter.discovery.distributions import Layout
from exporter.discovery.kubelet import Kubelet
from exporter.discovery.node_files import Documents, documents_of, items_at, load, text_at

_SERVICE_NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc")
_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")
"""What can be the name of a Node (RFC 1123, Kubernetes ``IsDNS1123Subdomain``)."""
_LIMIT = 64


def host_name(documents: Documents) -> str:
    """What the host calls itself; a name that is only a placeholder tells nothing."""
    content = documents.files.text("/etc/hostname")
    lines = content.decode(errors="replace").splitlines() if isinstance(content, bytes) else []
    named = (stripped for line in lines if (stripped := line.strip()) and not stripped.startswith("#"))
    name = next(named, "")
    return "" if name.partition(".")[0] == "localhost" else _as_node(name)


def name_of_node(kubelet: Kubelet, given: str, host: str) -> str:
    """The name of the Node object: ``--hostname-override``, what the operator says, the host name."""
    return _as_node(kubelet.hostname_override or given or host)


def _as_node(name: str) -> str:
    """The kubelet takes it in lower case (Kubernetes ``pkg/util/node``)."""
    name = name.strip().lower()
    return name if _NAME.fullmatch(name) else ""


def node_addresses(kubelet: Kubelet) -> tuple[str, ...]:
    """The addresses of ``--node-ip``; the API server's may be a balancer's, so it does not count."""
    return tuple(dict.fromkeys(_addresses(kubelet.node_ip.split(","))))


def _addresses(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        try:
            address = ipaddress.ip_address(text.strip())
        except ValueError:
            continue
        if not address.is_unspecified:
            yield str(address)


def api_names(
    documents: Documents,
    layout: Layout,
    kubelet: Kubelet,
    servers: Iterable[str],
    commands: Sequence[Command],
) -> tuple[str, ...]:
    """The names and addresses by which clients reach the API server of this node.

    Empty where none runs, and where it has certificates by server name: no single one covers all names then.
    """
    own = [command for command in commands if command.component == "kube-apiserver"]
    if not own or any("tls-sni-cert-key" in command.flags.values for command in own):
        return ()
    names = [*_SERVICE_NAMES]
    if kubelet.cluster_domain:
        names.append(f"kubernetes.default.svc.{kubelet.cluster_domain.strip('.')}")
    for command in own:
        names += _addresses([command.flags.last("advertise-address")])
        names += _first_service_address(command.flags.last("service-cluster-ip-range"))
    names += servers
    for path in layout.kubeadm_configurations:
        names += _kubeadm_names(documents, path)
    return tuple(dict.fromkeys(name for name in names if name and "$" not in name))[:_LIMIT]


def _first_service_address(ranges: str) -> Iterator[str]:
    """The address of the Service ``kubernetes``: the first of the first range."""
    try:
        network = ipaddress.ip_network(ranges.partition(",")[0].strip(), strict=False)
    except ValueError:
        return
    if network.num_addresses > 1:
        yield str(network.network_address + 1)


def _kubeadm_names(documents: Documents, path: str) -> Iterator[str]:
    """The control-plane endpoint and extra names of kubeadm's ClusterConfiguration (v1beta4)."""
    content = documents.text(path)
    if content is None:
        return
    for part in documents_of(content)[:_LIMIT]:
        document = load(part)
        if text_at(document, "kind") == "ClusterConfiguration":
            yield _host(text_at(document, "controlPlaneEndpoint"))
            yield from (name for name in items_at(document, "apiServer", "certSANs") if isinstance(name, str))


def _host(endpoint: str) -> str:
    """The host of ``HOST``, ``HOST:PORT`` or ``[IPV6]:PORT``."""
    if endpoint.startswith("["):
        return endpoint[1:].partition("]")[0]
    return endpoint if endpoint.count(":") > 1 else endpoint.partition(":")[0]
