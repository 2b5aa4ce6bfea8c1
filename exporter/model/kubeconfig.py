"""A kubeconfig as client-go reads it (``tools/clientcmd/api/v1/types.go``), without its secrets."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A ``clusters[]`` item."""

    name: str
    server: str
    certificate_authority: str
    """The path as written; empty where none or where data (which wins) is embedded."""
    has_authority_data: bool
    insecure_skip_tls_verify: bool
    tls_server_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A ``users[]`` item."""

    name: str
    client_certificate: str
    """The path as written; empty where none or where data (which wins) is embedded."""
    client_key: str
    has_certificate_data: bool
    has_key_data: bool
    has_token: bool
    """A token, token file, exec plugin, auth provider or password authenticates this user."""
    holds_secret: bool = False
    """A token or password stands in the file itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A ``contexts[]`` item."""

    name: str
    cluster: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubeconfig:
    """The parts of a kubeconfig that decide who is trusted and who one is."""

    clusters: tuple[Cluster, ...] = ()
    users: tuple[User, ...] = ()
    contexts: tuple[Context, ...] = ()
    current_context: str = ""
