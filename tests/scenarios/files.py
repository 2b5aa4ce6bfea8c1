"""Who else can read, replace or copy the files of a node's PKI."""

import os
from collections.abc import Callable
from pathlib import Path

from tests.scenarios.certificates import CP, K0S, K0S_PKI, K3S, MICROK8S, MINI, MINIKUBE, MK8S, TLS, WORKER
from tests.scenarios.kubelets import CLIENT, KUBECONFIG
from tests.scenarios.tree import PKI, Mutation, Scenario, Tree, scenario


def chmod(path: str, mode: int) -> Mutation:
    """Change a mode."""

    def change(tree: Tree) -> None:
        tree.at(path).chmod(mode)

    return change


def chown(path: str, uid: int, gid: int = 0) -> Mutation:
    """Change an owner."""

    def change(tree: Tree) -> None:
        os.chown(tree.at(path), uid, gid)

    return change


def copy(path: str, to: str, mode: int = 0o600) -> Mutation:
    """Copy a file by hand."""

    def change(tree: Tree) -> None:
        tree.write(to, tree.read(path), mode)

    return change


def instead(make: Callable[[Path], object]) -> Mutation:
    """Let something else stand where the API server's certificate belongs."""

    def change(tree: Tree) -> None:
        path = tree.at(f"{PKI}/apiserver.crt")
        path.unlink()
        make(path)

    return change


def with_key(stem: str) -> Mutation:
    """Append a private key to its certificate, which everybody may read."""
    return lambda tree: tree.write(f"{stem}.crt", tree.read(f"{stem}.crt") + tree.read(f"{stem}.key"), 0o644)


def backed_up(tree: Tree) -> None:
    """Leave what ``kubeadm upgrade`` does: manifests, and etcd's data without a certificate in it."""
    folder = "/etc/kubernetes/tmp/kubeadm-backup-"
    tree.write(f"{folder}etcd-2026-11-24-08-00-00/etcd/member/snap/db", bytes(2 << 20))
    tree.write(f"{folder}etcd-2026-11-24-08-00-00/etcd/member/wal/0000000000000000-0000000000000000.wal", b"")
    tree.write(
        f"{folder}manifests-2026-11-24-08-00-00/etcd.yaml", tree.read("/etc/kubernetes/manifests/etcd.yaml")
    )


_MK8S = "/var/snap/microk8s/current/credentials"
CA_KEY = f"{PKI}/ca.key"
SCENARIOS: tuple[Scenario, ...] = (
    scenario("CA key readable by all", CP, chmod(CA_KEY, 0o644), ("mode_loose", CA_KEY)),
    scenario("CA key readable by its group", CP, chmod(CA_KEY, 0o640), ("mode_loose", CA_KEY)),
    scenario("CA key tighter than usual", CP, chmod(CA_KEY, 0o400)),
    scenario(
        "CA key readable by all, k3s",
        K3S,
        chmod(f"{TLS}/server-ca.key", 0o644),
        ("mode_loose", f"{TLS}/server-ca.key"),
    ),
    scenario(
        "CA key readable by all, k0s",
        K0S,
        chmod(f"{K0S_PKI}/ca.key", 0o644),
        ("mode_loose", f"{K0S_PKI}/ca.key"),
    ),
    scenario(
        "CA key readable by all, MicroK8s",
        MICROK8S,
        chmod(f"{MK8S}/ca.key", 0o664),
        ("mode_loose", f"{MK8S}/ca.key"),
    ),
    scenario(
        "CA key readable by all, minikube",
        MINIKUBE,
        chmod(f"{MINI}/ca.key", 0o644),
        ("mode_loose", f"{MINI}/ca.key"),
    ),
    scenario(
        "leaf key readable by all",
        CP,
        chmod(f"{PKI}/apiserver.key", 0o644),
        ("mode_loose", f"{PKI}/apiserver.key"),
    ),
    scenario(
        "service account key readable by all",
        CP,
        chmod(f"{PKI}/sa.key", 0o644),
        ("mode_loose", f"{PKI}/sa.key"),
    ),
    scenario("service account public key readable by all", CP, chmod(f"{PKI}/sa.pub", 0o644)),
    scenario(
        "admin.conf readable by all",
        CP,
        chmod("/etc/kubernetes/admin.conf", 0o644),
        ("mode_loose", "/etc/kubernetes/admin.conf"),
    ),
    scenario("kubelet.conf without secret readable by all", WORKER, chmod(KUBECONFIG, 0o644)),
    scenario(
        "kubelet pair readable by all",
        WORKER,
        chmod(CLIENT.replace("current", "2026-11-24-07-41-03"), 0o644),
        ("mode_loose", CLIENT),
    ),
    scenario("certificate writable by nobody else", CP, chmod(f"{PKI}/apiserver.crt", 0o600)),
    scenario(
        "key of another user",
        CP,
        chown(f"{PKI}/apiserver.key", 1000),
        ("owner_unexpected", f"{PKI}/apiserver.key"),
    ),
    scenario("CA key of another user", CP, chown(CA_KEY, 1000), ("owner_unexpected", CA_KEY)),
    scenario("component user, k0s", K0S, chown(f"{K0S_PKI}/server.key", 998)),
    scenario(
        "another person's key, k0s",
        K0S,
        chown(f"{K0S_PKI}/server.key", 1000),
        ("owner_unexpected", f"{K0S_PKI}/server.key"),
    ),
    scenario(
        "another group's key, k0s",
        K0S,
        chown(f"{K0S_PKI}/server.key", 999, 1000),
        ("owner_unexpected", f"{K0S_PKI}/server.key"),
    ),
    scenario("PKI directory writable by all", CP, chmod(PKI, 0o777), ("directory_writable", PKI)),
    scenario(
        "PKI directory of another user", CP, chown(f"{PKI}/etcd", 1000), ("directory_writable", f"{PKI}/etcd")
    ),
    scenario(
        "directory above writable by its group",
        CP,
        chmod("/etc/kubernetes", 0o775),
        ("directory_writable", "/etc/kubernetes"),
    ),
    scenario(
        "kubelet's directory writable by all",
        WORKER,
        chmod("/var/lib/kubelet/pki", 0o777),
        ("directory_writable", "/var/lib/kubelet/pki"),
    ),
    scenario(
        "directory writable by its group, MicroK8s by design",
        MICROK8S,
        chmod("/var/snap/microk8s/current/certs", 0o770),
    ),
    scenario(
        "directory writable by all, MicroK8s",
        MICROK8S,
        chmod(MK8S, 0o777),
        ("directory_writable", "/var/snap/microk8s/8596/certs"),
    ),
    scenario("backup of a key beside it", CP, copy(f"{PKI}/apiserver.key", f"{PKI}/apiserver.key.bak")),
    scenario(
        "backup of a key easier to read",
        CP,
        copy(f"{PKI}/apiserver.key", f"{PKI}/old/apiserver.key", 0o644),
        ("private_key_copied", f"{PKI}/old/apiserver.key"),
        ("mode_loose", f"{PKI}/old/apiserver.key"),
    ),
    scenario(
        "kubeconfig copied, easier to read",
        CP,
        copy("/etc/kubernetes/admin.conf", "/etc/kubernetes/ops.conf", 0o644),
        ("private_key_copied", "/etc/kubernetes/ops.conf"),
        ("mode_loose", "/etc/kubernetes/ops.conf"),
    ),
    scenario("certificate backed up", CP, copy(f"{PKI}/apiserver.crt", f"{PKI}/apiserver.crt.bak", 0o644)),
    scenario(
        "leftovers of a dry run",
        CP,
        copy("/etc/kubernetes/admin.conf", "/etc/kubernetes/tmp/kubeadm-init-dryrun1/admin.conf"),
        ("private_key_copied", "/etc/kubernetes/tmp/kubeadm-init-dryrun1/admin.conf"),
    ),
    scenario("leftovers of an upgrade", CP, backed_up),
    scenario(
        "certificate cut off",
        CP,
        lambda t: t.write(f"{PKI}/apiserver.crt", t.read(f"{PKI}/apiserver.crt")[:500], 0o644),
        failures=frozenset({("malformed_pem", f"{PKI}/apiserver.crt")}),
    ),
    scenario(
        "certificate gone",
        CP,
        lambda t: t.at(f"{PKI}/apiserver.crt").unlink(),
        missing=frozenset({f"{PKI}/apiserver.crt"}),
    ),
    scenario(
        "CA gone", WORKER, lambda t: t.at(f"{PKI}/ca.crt").unlink(), missing=frozenset({f"{PKI}/ca.crt"})
    ),
    *(
        scenario(name, CP, instead(make), failures=frozenset({(reason, f"{PKI}/apiserver.crt")}))
        for name, make, reason in (
            ("a directory for a certificate", Path.mkdir, "not_regular"),
            ("a pipe for a certificate", os.mkfifo, "not_regular"),
            ("a link to itself", lambda path: path.symlink_to(path.name), "link_loop"),
        )
    ),
    *(
        scenario("administrator copied", tree, copy(path, copied, mode), ("group_masters_held", copied, user))
        for tree, path, copied, mode, user in (
            (K0S, f"{K0S_PKI}/admin.conf", f"{K0S_PKI}/ops.conf", 0o600, "user/user"),
            (MICROK8S, f"{_MK8S}/client.config", f"{_MK8S}/ops.config", 0o660, "user/admin"),
        )
    ),
    *(
        scenario(
            "key in the certificate's file",
            CP,
            with_key(f"{PKI}/{stem}"),
            ("mode_loose", f"{PKI}/{stem}.crt"),
        )
        for stem in ("apiserver", "ca")
    ),
)
