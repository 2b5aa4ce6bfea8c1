"""Whatever stands in a node's configuration: discovery answers, and names only absolute, plain paths."""

from collections.abc import Iterable, Mapping
from posixpath import normpath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.discovery import discover
from exporter.model import Content, Document, File, FileStatus, Mount, Part, Process, Reason, Search
from exporter.parsing import parse

Bytes = st.binary(max_size=2_000)
WORDS = st.lists(
    st.one_of(
        st.text(max_size=60),
        st.sampled_from(
            [
                *("--kubeconfig", "--config=/a/b.yaml", "--config-dir=/etc/x", "--cert-dir=../..", "--", "-"),
                *(
                    "--tls-sni-cert-key=,",
                    "--config-file=/etc/kubernetes/e.yaml",
                    "--client-ca-file=/a/../b//c",
                ),
                *(
                    "--listen-client-urls=https://[,http://",
                    "--service-cluster-ip-range=0/0",
                    "--node-ip=::,",
                ),
                *("--client-ca-file=//x", "--kubeconfig=/etc/kubernetes/admin.conf", "--cert-file=/\x00"),
            ]
        ),
    ),
    max_size=12,
)


class Memory:
    """A node's files, held in memory."""

    def __init__(self, tree: Mapping[str, bytes]) -> None:
        self._tree = tree
        self.opened: set[str] = set()

    def file(self, path: str, *, expected: Part | None = None) -> File:
        """The parsed file."""
        content = self.text(path)
        if isinstance(content, Reason):
            return File(path=path, status=None)
        document = Document(path=path, content=content)
        return File(
            path=path, status=self._status(path), content=parse(document, expected=expected, decode_keys=True)
        )

    def seal(self, paths: Iterable[str]) -> None:
        """Nothing here is a link."""

    def text(self, path: str) -> bytes | Reason:
        """The bytes."""
        self.opened.add(path)
        return self._tree.get(path, Reason.NOT_FOUND)

    def names(self, directory: str) -> tuple[str, ...]:
        """What a directory holds."""
        below = (path.removeprefix(directory.rstrip("/") + "/") for path in self._tree if path != directory)
        return tuple(sorted(name for name in below if name and "/" not in name))

    def status(self, path: str) -> FileStatus | Reason:
        """What is there."""
        is_there = path in self._tree or any(other.startswith(path + "/") for other in self._tree)
        return self._status(path) if is_there else Reason.NOT_FOUND

    def match(self, search: Search) -> tuple[str, ...]:
        """Everything below the start of the pattern."""
        return tuple(sorted(path for path in self._tree if path.startswith(search.pattern.partition("*")[0])))

    def _status(self, path: str) -> FileStatus:
        return FileStatus(
            path=path,
            resolved=path,
            device=1,
            inode=1,
            mode=0o100600,
            uid=len(path) % 2,
            gid=0,
            size=0,
            links=1,
            mtime_ns=0,
            ctime_ns=0,
        )


TREES = {
    "kubeadm": (
        "/etc/kubernetes/kubelet.conf",
        "/etc/kubernetes/admin.conf",
        "/etc/kubernetes/manifests/etcd.yaml",
        "/etc/kubernetes/manifests/kube-apiserver.yaml",
        "/var/lib/kubelet/config.yaml",
        "/var/lib/kubelet/kubeadm-flags.env",
        "/etc/systemd/system/kubelet.service",
        "/etc/systemd/system/kubelet.service.d/10.conf",
        "/etc/hostname",
        "/etc/passwd",
        "/kind/kubeadm.conf",
    ),
    "k3s": (
        "/etc/rancher/k3s/config.yaml",
        "/etc/systemd/system/k3s.service",
        "/etc/systemd/system/multi-user.target.wants/k3s.service",
        "/var/lib/rancher/k3s/server/tls/client-ca.crt",
        "/var/lib/rancher/k3s/server/db/etcd/config",
        "/var/lib/rancher/k3s/server/etc/egress-selector-config.yaml",
        "/var/lib/rancher/k3s/server/cred/admin.kubeconfig",
        "/var/lib/rancher/k3s/agent/kubelet.kubeconfig",
        "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/00.conf",
    ),
    "microk8s": (
        "/var/snap/microk8s/current/args/kubelet",
        "/var/snap/microk8s/current/args/kube-apiserver",
        "/var/snap/microk8s/current/args/etcd",
        "/var/snap/microk8s/current/credentials/client.config",
    ),
}
FRAGMENTS = st.sampled_from(
    [
        b"kind: Pod\nspec:\n  containers:\n  - command: [etcd, --config-file=/etc/kubernetes/kubelet.conf]\n",
        (
            b"kind: Pod\nspec: {volumes: [{name: a, hostPath: {path: '../..'}}], containers:"
            b" [{command: [kube-apiserver, --client-ca-file=/a/x],"
            b" volumeMounts: [{name: a, mountPath: /a}]}]}\n"
        ),
        b"staticPodPath: ../../../etc/kubernetes/manifests\ntlsCertFile: ../../x\nrotateCertificates: 7\n",
        b"kind: Config\nusers: [{name: u, user: {client-certificate: '../../../../x', client-key: '\\0'}}]\n",
        b"kind: Config\nclusters: [{cluster: {server: 'https://[', certificate-authority: ' '}}]\n",
        b"[Service]\nExecStart=/usr/bin/kubelet $A ${B} --config=$C\nEnvironment='A=-\nEnvironmentFile=own\n",
        b"KUBELET_KUBEADM_ARGS=\"--kubeconfig=../x --cert-dir=//y/../z '\n",
        b"--client-ca-file=${SNAP_DATA}/../../x\n--tls-sni-cert-key=/a,/b:c\n--cert-dir=.\n",
        b"client-transport-security: [1]\nlisten-client-urls: [u]\npeer-transport-security: {cert-file: p}\n",
        b"a: &a [*a]\n",
        b"data-dir: /\n",
        b"[Service]\nExecStart=/usr/local/bin/k3s server --data-dir=/x/../y\n",
        b"x:1000:0:0\netcd:x:99999999999999999999999:0\n",
        b"\xff\xfe\x00",
    ]
)


def plain(path: str) -> bool:
    """The path is absolute and has only one spelling."""
    return path.startswith("/") and not path.startswith("//") and normpath(path) == path and "\0" not in path


@pytest.mark.parametrize("kind", TREES)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_configuration_gives_an_answer(kind: str, data: st.DataObject) -> None:
    """Nothing raises, every path produced is absolute and normal, and nothing else is opened."""
    content = st.one_of(FRAGMENTS, Bytes, st.builds(bytes.__add__, FRAGMENTS, FRAGMENTS))
    tree = {path: data.draw(content) for path in TREES[kind]}
    files = Memory(tree)
    found = discover(files, None, watch=(Search(pattern="/etc/kubernetes/*"),), node_name="")
    paths = {
        *(reference.path for reference in found.references),
        *(failure.place.path for failure in found.failures),
        *found.directories,
        *files.opened,
    }
    assert all(plain(path) for path in paths)


@given(
    arguments=WORDS,
    name=st.sampled_from(
        ["kubelet", "etcd", "kube-apiserver", "kube-scheduler", "k3s server", "konnectivity-server"]
    ),
    cgroup=st.one_of(st.text(), st.just("/kubepods/pod0123456789abcdef0123456789abcdef")),
    mounts=st.lists(
        st.builds(Mount, device=st.sampled_from(["8:1", ""]), root=st.text(), point=st.text()), max_size=4
    ),
    uid=st.integers(min_value=0, max_value=2),
)
@settings(max_examples=300, deadline=None)
def test_any_process_gives_an_answer(
    arguments: list[str], name: str, cgroup: str, mounts: list[Mount], uid: int
) -> None:
    """Nothing raises over any command line, cgroup or mount table, and every path is absolute and normal."""
    disk = Mount(device="8:1", root="/", point="/")
    running = Process(
        pid=2,
        uid=uid,
        arguments=(name, *arguments),
        cgroup=cgroup,
        mounts=(disk, *mounts),
        started=None,
    )
    own = Process(pid=3, uid=0, arguments=(), cgroup="", mounts=(disk,), started=None, is_own=True)
    found = discover(Memory({"/etc/kubernetes/kubelet.conf": b""}), (own, running), watch=(), node_name="")
    assert all(plain(reference.path) for reference in found.references)
    assert all(plain(directory) for directory in found.directories)
    ignored = sum(found.node.processes_ignored.values())
    assert ignored <= 1


def test_content_is_read_once_a_file() -> None:
    """The stand-in for a node's files answers as the real one does for what is not there."""
    files = Memory({"/a/b": b""})
    assert files.names("/a") == ("b",)
    assert files.file("/x").content == Content()
    assert files.status("/a") != Reason.NOT_FOUND
