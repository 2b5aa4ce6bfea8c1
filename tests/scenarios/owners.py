"""Whose files they are, and where else a key lies, in the node's own places and in the operator's."""

import os

from exporter.demo.pki import make_key, make_leaf, private_pem
from tests.scenarios.certificates import CP, K0S, K0S_PKI, K3S, MICROK8S, MK8S, WORKER
from tests.scenarios.files import CA_KEY, chmod, chown, copy
from tests.scenarios.tree import MANIFESTS, NOW, PKI, Mutation, Scenario, Tree, new_ca, scenario

KEY, CERTIFICATE = f"{PKI}/apiserver.key", f"{PKI}/apiserver.crt"
USERS = (
    "root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/:/\nkube:x:990:990::/:/\netcd:x:991:991::/:/\n"
    "kubeadm-kas:x:101:103::/:/\nops:x:1000:1000::/:/bin/sh\nbroken\n"
)
READERS = 104
ROOT = "/root/.kube"
TEMPORARY = "/etc/kubernetes/tmp"
DRY_RUN = f"{TEMPORARY}/kubeadm-init-dryrun1"


def known_users(tree: Tree) -> None:
    """Let the host tell whose number is whose."""
    tree.write("/etc/passwd", USERS, 0o644)
    tree.write("/etc/group", f"root:x:0:\nkubeadm-sa-key-readers:x:{READERS}:kubeadm-kas\n", 0o644)


def kubespray(tree: Tree) -> None:
    """Give the directories to the user that owns the installation (Kubespray ``kube_owner``)."""
    known_users(tree)
    for path in ("/etc/kubernetes", PKI, f"{PKI}/etcd"):
        os.chown(tree.at(path), 990, 0)


def rootless(tree: Tree) -> None:
    """Give keys to component users and let a group of them read one (kubeadm ``RootlessControlPlane``)."""
    known_users(tree)
    os.chown(tree.at(KEY), 101, 103)
    os.chown(tree.at(f"{PKI}/etcd/server.key"), 991, 991)
    os.chown(tree.at(f"{PKI}/sa.key"), 0, READERS)
    tree.at(f"{PKI}/sa.key").chmod(0o640)


def readable_by(gid: int) -> Mutation:
    """Let a group read the key of service accounts."""

    def change(tree: Tree) -> None:
        known_users(tree)
        os.chown(tree.at(f"{PKI}/sa.key"), 0, gid)
        tree.at(f"{PKI}/sa.key").chmod(0o640)

    return change


def of(uid: int, path: str = KEY) -> Mutation:
    """Give a file to a user that the host names."""

    def change(tree: Tree) -> None:
        known_users(tree)
        os.chown(tree.at(path), uid, 0)

    return change


def mismatched_elsewhere(tree: Tree) -> None:
    """Lay a pair that is none where only the operator looks."""
    tree.write("/opt/hook/tls.crt", make_leaf(new_ca(), "hook", now=NOW).pem, 0o644)
    tree.write("/opt/hook/tls.key", private_pem(make_key()))


def key_in_ca(tree: Tree) -> None:
    """Lay the CA's key into its certificate's file, which root alone may read."""
    tree.write(f"{PKI}/ca.crt", tree.read(f"{PKI}/ca.crt") + tree.read(CA_KEY), 0o600)


def upgraded(tree: Tree) -> None:
    """Leave what an upgrade by kubeadm leaves: manifests, the kubelet's configuration, etcd's data."""
    for component in ("etcd", "kube-apiserver"):
        manifest = tree.read(f"{MANIFESTS}/{component}.yaml")
        tree.write(f"{TEMPORARY}/kubeadm-backup-manifests-2026-11-20/{component}.yaml", manifest)
    settings = tree.read("/var/lib/kubelet/config.yaml")
    tree.write(f"{TEMPORARY}/kubeadm-kubelet-config1/config.yaml", settings, 0o644)
    tree.write(f"{TEMPORARY}/kubeadm-backup-etcd-2026-11-20/etcd/member/snap/db", b"\x00")


SCENARIOS: tuple[Scenario, ...] = (
    scenario("certificate writable by all", CP, chmod(CERTIFICATE, 0o666), ("mode_loose", CERTIFICATE)),
    scenario(
        "CA writable by its group", WORKER, chmod(f"{PKI}/ca.crt", 0o664), ("mode_loose", f"{PKI}/ca.crt")
    ),
    scenario(
        "CA writable by all, k0s",
        K0S,
        chmod(f"{K0S_PKI}/ca.crt", 0o666),
        ("mode_loose", f"{K0S_PKI}/ca.crt"),
    ),
    scenario(
        "CA writable by all, MicroK8s",
        MICROK8S,
        chmod(f"{MK8S}/ca.crt", 0o666),
        ("mode_loose", f"{MK8S}/ca.crt"),
    ),
    scenario("CA writable by its group, MicroK8s by design", MICROK8S, chmod(f"{MK8S}/ca.crt", 0o664)),
    scenario("Kubespray's directories", CP, kubespray),
    scenario("kubeadm's components without root", CP, rootless),
    scenario("a system's user, where the host names none", CP, chown(KEY, 998)),
    scenario("a component's user", CP, of(991)),
    scenario("another program's user", CP, of(33), ("owner_unexpected", KEY)),
    scenario("a person", CP, of(1000), ("owner_unexpected", KEY)),
    scenario("another program's directory", CP, of(33, PKI), ("directory_writable", PKI)),
    scenario("a group that is nobody's component", CP, readable_by(33), ("mode_loose", f"{PKI}/sa.key")),
    scenario(
        "a person's group: the mode is what is wrong", CP, readable_by(1000), ("mode_loose", f"{PKI}/sa.key")
    ),
    scenario("CA key copied beside it", CP, copy(CA_KEY, f"{PKI}/saved.pem")),
    scenario(
        "CA key copied, easier to read",
        CP,
        copy(CA_KEY, f"{PKI}/saved.pem", 0o644),
        ("mode_loose", f"{PKI}/saved.pem"),
        ("private_key_copied", f"{PKI}/saved.pem"),
    ),
    scenario(
        "CA key copied elsewhere",
        CP,
        copy(CA_KEY, "/root/saved/old.pem"),
        ("private_key_copied", "/root/saved/old.pem"),
        watch=("/root/saved/*",),
    ),
    scenario(
        "leaf key copied elsewhere",
        CP,
        copy(KEY, "/root/saved/apiserver.key"),
        ("private_key_copied", "/root/saved/apiserver.key"),
        watch=("/root/saved/*",),
    ),
    scenario("leaf key copied into a directory beside it", CP, copy(KEY, f"{PKI}/saved/apiserver.key")),
    scenario(
        "leaf key left by a dry run",
        CP,
        copy(KEY, f"{DRY_RUN}/apiserver.key"),
        ("private_key_copied", f"{DRY_RUN}/apiserver.key"),
    ),
    scenario("upgraded", CP, upgraded),
    scenario(
        "administrator saved beside it", CP, copy("/etc/kubernetes/admin.conf", "/etc/kubernetes/a.conf")
    ),
    scenario(
        "administrator copied home",
        CP,
        copy("/etc/kubernetes/admin.conf", f"{ROOT}/config"),
        ("private_key_copied", f"{ROOT}/config"),
        watch=(f"{ROOT}/*",),
    ),
    scenario(
        "super-admin.conf copied home under its name",
        CP,
        copy("/etc/kubernetes/super-admin.conf", f"{ROOT}/super-admin.conf"),
        ("private_key_copied", f"{ROOT}/super-admin.conf"),
        ("group_masters_held", f"{ROOT}/super-admin.conf", "user/kubernetes-super-admin"),
        watch=(f"{ROOT}/*",),
    ),
    scenario(
        "k3s.yaml copied beside it",
        K3S,
        copy("/etc/rancher/k3s/k3s.yaml", "/etc/rancher/k3s/ops.yaml"),
        ("group_masters_held", "/etc/rancher/k3s/ops.yaml", "user/default"),
        watch=("/etc/rancher/k3s/*.yaml",),
    ),
    scenario(
        "a pair that is none, elsewhere",
        CP,
        mismatched_elsewhere,
        ("key_mismatched", "/opt/hook/tls.crt"),
        watch=("/opt/hook/*",),
    ),
    scenario("CA key in its certificate's file", CP, key_in_ca, ("private_key_copied", f"{PKI}/ca.crt")),
)
