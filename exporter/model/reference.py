"""Who is configured to use which file."""

from dataclasses import dataclass
from enum import StrEnum

from exporter.model.role import Role


class Origin(StrEnum):
    """The evidence for a reference, the strongest first."""

    OPERATOR = "operator"
    PROCESS = "process"
    MANIFEST = "manifest"
    UNIT = "unit"
    ARGS_FILE = "args_file"
    KUBELET_CONFIG = "kubelet_config"
    COMPONENT_CONFIG = "component_config"
    KUBECONFIG = "kubeconfig"
    CONVENTION = "convention"


class Part(StrEnum):
    """What the file is to the component."""

    CERTIFICATE = "certificate"
    PRIVATE_KEY = "private_key"
    TRUST = "trust"
    KUBECONFIG = "kubeconfig"


class Requirement(StrEnum):
    """Whether the component needs the file to be there."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    GENERATED = "generated"
    """The component makes it; absent until then (``kubelet-*-current.pem``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One setting of one component that names one file."""

    component: str
    """``kube-apiserver``, ``kubelet``, ``etcd`` and so on; ``operator`` for a --watch pattern."""
    setting: str
    """The flag without dashes, the field, or for a convention its distribution."""
    part: Part
    role: Role
    path: str
    """As the host sees it; absolute and normalized."""
    origin: Origin
    requirement: Requirement
