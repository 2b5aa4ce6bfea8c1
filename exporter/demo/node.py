"""A kubeadm-shaped control-plane node, healthy as ``kubeadm init`` leaves it."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from exporter.demo.manifests import KUBELET_CONFIG, manifests
from exporter.demo.pki import YEAR, Issued, make_ca, make_key, make_leaf, private_pem, public_pem

KUBELET_PKI = "var/lib/kubelet/pki"
PKI = "etc/kubernetes/pki"


@dataclass(frozen=True, slots=True)
class DemoNode:
    """Where the tree stands and what can sign in it; every method writes as kubeadm or the kubelet does."""

    root: Path
    now: datetime
    name: str
    address: str
    ca: Issued
    etcd_ca: Issued
    front_proxy_ca: Issued

    def write(self, path: str, content: bytes, mode: int = 0o600) -> Path:
        """Write a file below the root, its directories too."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(mode)
        return target

    def pair(self, name: str, issued: Issued) -> None:
        """Write key, then certificate (kubeadm ``pkiutil.WriteCertAndKey``)."""
        self.write(f"{PKI}/{name}.key", issued.key_pem)
        self.write(f"{PKI}/{name}.crt", issued.pem, 0o644)

    def leaf(
        self,
        name: str,
        *,
        life: timedelta = YEAR,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> Issued:
        """Issue and write one of kubeadm's leaf pairs anew."""
        signer, cn, usages = {
            "apiserver": (self.ca, "kube-apiserver", ("serverAuth",)),
            "apiserver-kubelet-client": (self.ca, "kube-apiserver-kubelet-client", ("clientAuth",)),
            "apiserver-etcd-client": (self.etcd_ca, "kube-apiserver-etcd-client", ("clientAuth",)),
            "front-proxy-client": (self.front_proxy_ca, "front-proxy-client", ("clientAuth",)),
            "etcd/server": (self.etcd_ca, self.name, ("serverAuth", "clientAuth")),
            "etcd/peer": (self.etcd_ca, self.name, ("serverAuth", "clientAuth")),
            "etcd/healthcheck-client": (self.etcd_ca, "kube-etcd-healthcheck-client", ("clientAuth",)),
        }[name]
        issued = make_leaf(
            signer,
            cn,
            now=self.now,
            life=life,
            not_before=not_before,
            not_after=not_after,
            usages=usages,
            sans=self._sans(name),
        )
        self.pair(name, issued)
        return issued

    def kubeconfig(
        self,
        name: str,
        cn: str,
        organizations: Sequence[str] = (),
        *,
        life: timedelta = YEAR,
        not_after: datetime | None = None,
    ) -> Issued:
        """Write a kubeconfig with embedded data; its certificate starts with the CA, as kubeadm's does."""
        issued = make_leaf(
            self.ca,
            cn,
            now=self.now,
            organizations=organizations,
            usages=("clientAuth",),
            not_before=self.ca.certificate.not_valid_before_utc,
            not_after=not_after or self.now + life,
        )
        user = (
            f"    client-certificate-data: {_data(issued.pem)}\n    client-key-data: {_data(issued.key_pem)}"
        )
        self.write(f"etc/kubernetes/{name}", self._kubeconfig_text(cn, user).encode())
        return issued

    def kubelet_pair(self, usage: str, written: datetime, *, life: timedelta = YEAR) -> str:
        """Write a dated pair as the kubelet does, without pointing at it; return its file name."""
        issued = make_leaf(
            self.ca,
            f"system:node:{self.name}",
            now=written,
            organizations=("system:nodes",),
            usages=(f"{usage}Auth",),
            life=life,
            sans=(self.name, self.address) if usage == "server" else (),
        )
        name = f"kubelet-{usage}-{written:%Y-%m-%d-%H-%M-%S}.pem"
        self.write(f"{KUBELET_PKI}/{name}", issued.pem + issued.key_pem)
        return name

    def point_current(self, usage: str, name: str) -> None:
        """Swap the link as the kubelet does: new link, remove, rename (``certificate_store.go``)."""
        directory = self.root / KUBELET_PKI
        current, updated = (directory / f"kubelet-{usage}-{word}.pem" for word in ("current", "updated"))
        updated.symlink_to(f"/{KUBELET_PKI}/{name}")
        current.unlink(missing_ok=True)
        updated.rename(current)

    def _sans(self, name: str) -> tuple[str, ...]:
        if name == "apiserver":
            services = ("kubernetes", "kubernetes.default", "kubernetes.default.svc")
            return (self.name, *services, "kubernetes.default.svc.cluster.local", "10.96.0.1", self.address)
        if name in {"etcd/server", "etcd/peer"}:
            return (self.name, "localhost", self.address, "127.0.0.1", "::1")
        return ()

    def _kubeconfig_text(self, user_name: str, user: str) -> str:
        return (
            "apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n"
            f"    certificate-authority-data: {_data(self.ca.pem)}\n"
            f"    server: https://{self.address}:6443\n  name: kubernetes\n"
            f"contexts:\n- context:\n    cluster: kubernetes\n    user: {user_name}\n"
            f"  name: {user_name}@kubernetes\n"
            f"current-context: {user_name}@kubernetes\nusers:\n- name: {user_name}\n  user:\n{user}\n"
        )

    def write_kubelet_kubeconfig(self) -> None:
        """Write the kubeconfig that names the kubelet's link (kubeadm ``kubeletfinalize.go``)."""
        link = f"/{KUBELET_PKI}/kubelet-client-current.pem"
        user = f"    client-certificate: {link}\n    client-key: {link}"
        self.write(
            "etc/kubernetes/kubelet.conf", self._kubeconfig_text(f"system:node:{self.name}", user).encode()
        )


def make_node(
    root: Path,
    *,
    now: datetime,
    name: str = "demo-cp1",
    address: str = "10.0.0.11",
    born: datetime | None = None,
) -> DemoNode:
    """Write a healthy control-plane node; its CAs were made at *born*, everything else *now*."""
    birth = born or now
    node = DemoNode(
        root=root,
        now=now,
        name=name,
        address=address,
        ca=make_ca("kubernetes", now=birth),
        etcd_ca=make_ca("etcd-ca", now=birth),
        front_proxy_ca=make_ca("front-proxy-ca", now=birth),
    )
    for ca_name, ca in (("ca", node.ca), ("etcd/ca", node.etcd_ca), ("front-proxy-ca", node.front_proxy_ca)):
        node.pair(ca_name, ca)
    for leaf in (
        "apiserver",
        "apiserver-kubelet-client",
        "apiserver-etcd-client",
        "front-proxy-client",
        "etcd/server",
        "etcd/peer",
        "etcd/healthcheck-client",
    ):
        node.leaf(leaf)
    service_account_key = make_key()
    node.write(f"{PKI}/sa.key", private_pem(service_account_key))
    node.write(f"{PKI}/sa.pub", public_pem(service_account_key))
    node.kubeconfig("admin.conf", "kubernetes-admin", ("kubeadm:cluster-admins",))
    node.kubeconfig("super-admin.conf", "kubernetes-super-admin", ("system:masters",))
    node.kubeconfig("controller-manager.conf", "system:kube-controller-manager")
    node.kubeconfig("scheduler.conf", "system:kube-scheduler")
    node.write_kubelet_kubeconfig()
    for usage in ("client", "server"):
        node.point_current(usage, node.kubelet_pair(usage, now))
    for file, text in manifests(name, address).items():
        node.write(f"etc/kubernetes/manifests/{file}", text.encode())
    node.write("var/lib/kubelet/config.yaml", KUBELET_CONFIG.encode(), 0o644)
    node.write(
        "var/lib/kubelet/kubeadm-flags.env", f'KUBELET_KUBEADM_ARGS="--node-ip={address}"\n'.encode(), 0o644
    )
    node.write("etc/hostname", f"{name}\n".encode(), 0o644)
    return node


def _data(content: bytes) -> str:
    return base64.b64encode(content).decode()
