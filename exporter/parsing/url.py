"""Which host a URL or a kubeconfig leads to."""

from urllib.parse import urlsplit

from exporter.model import Cluster


def host_of(url: str) -> str:
    """The host of an https URL; empty for any other, and for what is no URL."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return ""
    return host or "" if parts.scheme == "https" else ""


def server_name(cluster: Cluster) -> str:
    """The name that the server must prove; empty where it need not (client-go ``rest/transport.go``)."""
    if cluster.insecure_skip_tls_verify:
        return ""
    server = cluster.server if "://" in cluster.server else f"https://{cluster.server}"
    return cluster.tls_server_name or host_of(server)
