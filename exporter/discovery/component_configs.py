"""Configuration files that components are given by flag and that name certificates or kubeconfigs in turn.

Kubernetes ``staging/src/k8s.io/apiserver/pkg/apis/apiserver/v1beta1`` (egress, admission, authorization),
``kube-proxy`` and ``kube-scheduler`` ``clientConnection``, OpenShift ``--openshift-config``
(``openshift/api`` ``config/v1``, ``ServingInfo``).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from posixpath import dirname, join

from exporter.discovery.command import Command
from exporter.discovery.flags import Flags
from exporter.discovery.node_files import Documents, at, items_at, text_at
from exporter.discovery.references import References
from exporter.model import Origin, Part, Role

_CLIENTS = {"kube-scheduler": Role.SCHEDULER, "kube-proxy": Role.KUBE_PROXY_CLIENT}
_SETTINGS = (
    "egress-selector-config-file",
    "admission-control-config-file",
    "authorization-config",
    "config",
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A file that a configuration document names, as the component sees it."""

    setting: str
    part: Part
    role: Role
    inside: str
    is_trusted: bool


def mentions(documents: Documents, references: References, command: Command) -> Iterator[Mention]:
    """Yield what the configuration files of a component other than the kubelet name."""
    for setting in _SETTINGS:
        inside = command.flags.last(setting)
        document, is_trusted = _load(documents, references, command, inside)
        for part, role, path in _named(command.component, setting, document):
            if path:
                yield Mention(setting, part, role, join(dirname(inside), path), is_trusted)


def _load(documents: Documents, references: References, command: Command, inside: str) -> tuple[object, bool]:
    path = command.locate(inside)
    if path is None or not references.may_open(path, is_trusted=command.is_trusted):
        return None, False
    return documents.load(path), command.is_trusted and documents.is_trusted(path)


def _named(component: str, setting: str, document: object) -> Iterator[tuple[Part, Role, str]]:
    if setting == "egress-selector-config-file":
        for selection in items_at(document, "egressSelections"):
            for transport in ("tcp", "uds"):
                tls = at(selection, "connection", "transport", transport, "tlsConfig")
                yield Part.TRUST, Role.OTHER, text_at(tls, "caBundle")
                yield Part.CERTIFICATE, Role.OTHER, text_at(tls, "clientCert")
                yield Part.PRIVATE_KEY, Role.OTHER, text_at(tls, "clientKey")
    elif setting == "admission-control-config-file":
        for plugin in items_at(document, "plugins"):
            for holder in (plugin, at(plugin, "configuration", "imagePolicy")):
                file = text_at(holder, "configuration", "kubeConfigFile") or text_at(holder, "kubeConfigFile")
                yield Part.KUBECONFIG, Role.KUBECONFIG_USER, file
    elif setting == "authorization-config":
        for authorizer in items_at(document, "authorizers"):
            file = text_at(authorizer, "webhook", "connectionInfo", "kubeConfigFile")
            yield Part.KUBECONFIG, Role.KUBECONFIG_USER, file
    elif component in _CLIENTS:
        yield Part.KUBECONFIG, _CLIENTS[component], text_at(document, "clientConnection", "kubeconfig")


def with_openshift_arguments(
    documents: Documents, references: References, command: Command
) -> Iterator[Command]:
    """Yield the command, and one more for the flags that OpenShift gives in a file."""
    yield command
    inside = command.flags.last("openshift-config") or command.flags.last("config")
    document, is_trusted = _load(documents, references, command, inside)
    if values := dict((*_arguments(document), *_named_certificates(document))):
        yield replace(command, flags=Flags(values), origin=Origin.COMPONENT_CONFIG, is_trusted=is_trusted)


def _arguments(document: object) -> Iterator[tuple[str, tuple[str, ...]]]:
    for key in ("apiServerArguments", "extendedArguments"):
        arguments = at(document, key)
        for name in arguments if isinstance(arguments, dict) else ():
            given = tuple(value for value in items_at(arguments, name) if isinstance(value, str))
            if given and isinstance(name, str):
                yield name, given


def _named_certificates(document: object) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the certificates by server name as the flag that OpenShift makes of them."""
    pairs = (
        (text_at(named, "certFile"), text_at(named, "keyFile"))
        for named in items_at(document, "servingInfo", "namedCertificates")
    )
    if given := tuple(f"{certificate},{key}" for certificate, key in pairs if certificate):
        yield "tls-sni-cert-key", given
