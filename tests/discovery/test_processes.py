"""Which processes are evidence: forgers, nested nodes and others' containers are counted, not believed."""

from dataclasses import replace
from pathlib import Path

import pytest

from exporter.model import Distribution, Failure, Mount, NodeType, Origin, Place, Process, Reason
from tests.discovery.looking import look, plant, table

STATIC = "/kubepods/burstable/pod0123456789abcdef0123456789abcdef/" + "c" * 64
STATIC_SYSTEMD = (
    "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0123456789abcdef0123456789abcdef.slice"
    "/cri-containerd-" + "c" * 64 + ".scope"
)
FROM_THE_API = "/kubepods/besteffort/pod1b4e28ba-2fa1-11d2-883f-0016d3cca427/" + "d" * 64
FROM_THE_API_SYSTEMD = (
    "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1b4e28ba_2fa1_11d2_883f_0016d3cca427.slice"
    "/cri-containerd-" + "d" * 64 + ".scope"
)
DISK = Mount(device="8:1", root="/", point="/")
HOST = (DISK,)
OVERLAY = Mount(device="0:52", root="/", point="/")
PKI = Mount(device="8:1", root="/etc/kubernetes/pki", point="/etc/kubernetes/pki")
CONTAINER = (OVERLAY, PKI)
OWN = Process(pid=4000, uid=0, arguments=("python",), cgroup="/", mounts=HOST, started=1.0, is_own=True)
KUBEADM = {"/etc/kubernetes/kubelet.conf": ""}


def kubelet(*flags: str) -> Process:
    """A kubelet that systemd started."""
    return Process(
        pid=700,
        uid=0,
        arguments=("/usr/bin/kubelet", *flags),
        cgroup="/system.slice/kubelet.service",
        mounts=HOST,
        started=100.0,
    )


def etcd(*flags: str) -> Process:
    """An etcd of a static pod."""
    return Process(
        pid=900,
        uid=0,
        arguments=("etcd", *(flags or ("--cert-file=/etc/kubernetes/pki/etcd/server.crt",))),
        cgroup=STATIC,
        mounts=CONTAINER,
        started=200.0,
    )


def seen(root: Path, *processes: Process) -> tuple[list[str], dict[str, int]]:
    """The references whose evidence is a process, and what was ignored."""
    found = look(plant(root, KUBEADM), (OWN, *processes))
    rows = table(reference for reference in found.references if reference.origin is Origin.PROCESS)
    return rows, dict(found.node.processes_ignored)


SERVER = "etcd cert-file certificate etcd-server /etc/kubernetes/pki/etcd/server.crt process required"


def test_the_kubelets_own_command_line_counts(tmp_path: Path) -> None:
    """What runs goes before unit and convention, and says all there is."""
    plant(
        tmp_path,
        {"/etc/systemd/system/kubelet.service": "[Service]\nExecStart=/usr/bin/kubelet --cert-dir=/x\n"},
    )
    rows, ignored = seen(
        tmp_path, kubelet("--kubeconfig", "/etc/kubernetes/kubelet.conf", "--rotate-certificates")
    )
    assert rows == [
        "kubelet kubeconfig kubeconfig kubelet-client /etc/kubernetes/kubelet.conf process required",
        (
            "kubelet rotate-certificates certificate kubelet-client"
            " /var/lib/kubelet/pki/kubelet-client-current.pem process generated"
        ),
        (
            "kubelet rotate-certificates private_key kubelet-client"
            " /var/lib/kubelet/pki/kubelet-client-current.pem process generated"
        ),
    ]
    assert ignored == {}


@pytest.mark.parametrize("cgroup", [STATIC, STATIC_SYSTEMD, "/../" + STATIC.rsplit("/", 2)[1]])
def test_a_static_pod_counts(tmp_path: Path, cgroup: str) -> None:
    """Its uid in the cgroup is 32 hex digits, however the runtime and the name space write the path."""
    rows, ignored = seen(tmp_path, replace(etcd(), cgroup=cgroup))
    assert rows == [SERVER]
    assert ignored == {}


@pytest.mark.parametrize(
    ("forged", "reason"),
    [
        (
            {"uid": 12345, "cgroup": FROM_THE_API, "arguments": ("/usr/local/bin/etcd", "--cert-file=/x")},
            "user",
        ),
        ({"uid": 12345}, "user"),
        ({"cgroup": FROM_THE_API}, "pod"),
        ({"cgroup": FROM_THE_API_SYSTEMD}, "pod"),
        ({"cgroup": FROM_THE_API + STATIC}, "pod"),
        ({"cgroup": STATIC + FROM_THE_API}, "pod"),
        ({"cgroup": "/kubepods/burstable/something"}, "pod"),
        ({"cgroup": ""}, "pod"),
        ({"mounts": ()}, "mounts_unreadable"),
        ({"mounts": (OVERLAY,)}, "foreign_mounts"),
        ({"mounts": (OVERLAY, replace(PKI, device="0:99"))}, "foreign_mounts"),
        ({"mounts": (replace(PKI, point="/elsewhere"),)}, "foreign_mounts"),
    ],
)
def test_a_forger_is_counted_and_not_believed(tmp_path: Path, forged: dict[str, object], reason: str) -> None:
    """Another user, a pod of the API, a pod in a pod, unreadable or foreign mounts: each has its reason."""
    rows, ignored = seen(tmp_path, replace(etcd(), **forged))  # type: ignore[arg-type]
    assert rows == []
    assert ignored == {reason: 1}


def test_a_nested_nodes_components_are_not_the_hosts(tmp_path: Path) -> None:
    """A node in a container has its own /etc/kubernetes, wherever the host keeps that file system."""
    nested = (OVERLAY,)
    docker = Mount(device="0:52", root="/", point="/var/lib/docker/overlay2/x/merged")
    own = replace(OWN, mounts=(DISK, docker))
    inner = "/docker/" + "e" * 64
    found = look(
        plant(tmp_path, KUBEADM),
        (
            own,
            replace(kubelet("--kubeconfig=/etc/kubernetes/kubelet.conf"), mounts=nested, cgroup=inner),
            replace(
                etcd(),
                mounts=(replace(PKI, device="0:52"), replace(OVERLAY, device="0:53")),
                cgroup=inner + STATIC,
            ),
        ),
    )
    assert found.node.processes_ignored == {"foreign_mounts": 2}
    assert Origin.PROCESS not in {reference.origin for reference in found.references}


def test_a_node_in_a_directory_of_the_host_is_not_the_host(tmp_path: Path) -> None:
    """A node of name spaces alone keeps its files on the host's own disk, under another path."""
    inner = replace(PKI, root="/srv/lab/cp1/etc_kubernetes/pki")
    pod = replace(etcd(), mounts=(OVERLAY, inner))
    rows, ignored = seen(
        tmp_path, pod, replace(kubelet("--config=/etc/kubernetes/pki/x"), mounts=(DISK, inner))
    )
    assert rows == []
    assert ignored == {"foreign_mounts": 2}


def test_paths_are_mapped_by_device_and_root(tmp_path: Path) -> None:
    """Where a container sees a directory of the host elsewhere, the host's own path is the place."""
    moved = (OVERLAY, replace(PKI, point="/certs"))
    rows, _ = seen(
        tmp_path, replace(etcd("--cert-file=/certs/etcd/server.crt", "--key-file=/own/x"), mounts=moved)
    )
    assert rows == [SERVER]


def test_the_hosts_view_may_be_made_of_several_mounts(tmp_path: Path) -> None:
    """This program may see only some directories; the first process stands in where it sees none."""
    own = replace(
        OWN, mounts=(PKI, Mount(device="8:1", root="/etc/kubernetes/pki", point="/again/and/again"))
    )
    found = look(
        plant(tmp_path, KUBEADM),
        (
            own,
            replace(etcd(), mounts=(OVERLAY, replace(PKI, point="/c"))),
        ),
    )
    assert found.node.processes_ignored == {"foreign_mounts": 1}
    moved = replace(etcd("--cert-file=/c/etcd/server.crt"), mounts=(OVERLAY, replace(PKI, point="/c")))
    for host in ((own,), (replace(OWN, mounts=()), replace(OWN, pid=1, is_own=False))):
        found = look(tmp_path, (*host, moved))
        assert SERVER in table(found.references)


def test_a_place_that_another_mount_covers_is_not_to_be_seen(tmp_path: Path) -> None:
    """The directory is on the disk, but this program sees another file system in its place."""
    own = replace(OWN, mounts=(DISK, Mount(device="8:9", root="/", point="/etc/kubernetes")))
    found = look(plant(tmp_path, KUBEADM), (own, etcd()))
    assert found.node.processes_ignored == {"foreign_mounts": 1}


def test_a_kubelet_whose_certificates_are_elsewhere(tmp_path: Path) -> None:
    """A kubelet that keeps its directory in another file system names nothing in this one."""
    elsewhere = Mount(device="0:99", root="/", point="/var/lib/kubelet")
    running = replace(kubelet("--rotate-certificates", "--kubeconfig=/etc/kubernetes/kubelet.conf"))
    found = look(plant(tmp_path, KUBEADM), (OWN, replace(running, mounts=(DISK, elsewhere))))
    assert found.node.kubelet.certificate_directory == ""
    assert {reference.path for reference in found.references} == {"/etc/kubernetes/kubelet.conf"}


def test_without_any_view_of_the_host_no_process_counts(tmp_path: Path) -> None:
    """Where neither this program's mounts nor the first process's can be read, nothing can be compared."""
    found = look(plant(tmp_path, KUBEADM), (etcd(),))
    assert found.node.processes_ignored == {"foreign_mounts": 1}


def test_a_process_that_names_no_path_counts_outside_containers(tmp_path: Path) -> None:
    """A service shows that the component runs; in a container nothing ties it to this node."""
    plant(tmp_path, KUBEADM)
    service = replace(etcd("--name=x"), cgroup="/system.slice/etcd.service", mounts=HOST)
    found = look(tmp_path, (OWN, service))
    assert found.node.processes_ignored == {}
    assert found.node.type is NodeType.CONTROL_PLANE
    assert found.node.listeners == ()
    found = look(tmp_path, (OWN, etcd("--name=x")))
    assert found.node.processes_ignored == {"foreign_mounts": 1}
    assert found.node.type is NodeType.WORKER


def test_a_running_etcd_with_few_flags_may_have_variables(tmp_path: Path) -> None:
    """A process's environment is unreadable: unless a flag says, it is unknown whom it asks for what."""
    flags = ("--listen-client-urls=https://10.0.0.1:2379", "--cert-file=/etc/kubernetes/pki/s.crt")
    (listener,) = look(plant(tmp_path, KUBEADM), (OWN, etcd(*flags))).node.listeners
    assert (listener.client_auth, listener.origin) == ("unknown", Origin.PROCESS)
    asking = etcd(*flags, "--trusted-ca-file=/etc/kubernetes/pki/ca.crt")
    (listener,) = look(tmp_path, (OWN, asking)).node.listeners
    assert listener.client_auth == "required"


def test_process_and_manifest_agree_on_one_path(tmp_path: Path) -> None:
    """The strongest origin is shown; where a link leads both to one file, the manifest's path stays."""
    manifest = """
kind: Pod
spec:
  containers:
  - command: [etcd, --cert-file=/etc/kubernetes/pki/etcd/server.crt, --key-file=/etc/kubernetes/pki/new.key]
    volumeMounts: [{name: k, mountPath: /etc/kubernetes/pki}]
  volumes: [{name: k, hostPath: {path: /etc/kubernetes/pki}}]
"""
    plant(
        tmp_path,
        {
            **KUBEADM,
            "/etc/kubernetes/manifests/etcd.yaml": manifest,
            "/data/pki/etcd/server.crt": "",
            "/data/pki/old.key": "",
        },
    )
    (tmp_path / "etc/kubernetes/pki").symlink_to("/data/pki")
    mounts = (OVERLAY, replace(PKI, root="/data/pki"))
    running = etcd(
        "--cert-file=/etc/kubernetes/pki/etcd/server.crt", "--key-file=/etc/kubernetes/pki/old.key"
    )
    found = look(tmp_path, (OWN, replace(running, mounts=mounts)))
    assert [line for line in table(found.references) if line.startswith("etcd")] == [
        SERVER,
        "etcd key-file private_key etcd-server /etc/kubernetes/pki/new.key manifest required",
        "etcd key-file private_key etcd-server /etc/kubernetes/pki/old.key process required",
    ]


def test_the_users_of_the_distribution_count(tmp_path: Path) -> None:
    """k0s runs its components as users of their own, which the host's passwd names."""
    plant(
        tmp_path,
        {
            "/var/lib/k0s/pki/ca.crt": "",
            "/etc/passwd": "root:x:0:0\netcd:x:995:994::/:/bin/false\nkine:x:y:z\nnobody:x:65534:1\nbroken\n",
        },
    )
    flags = ("--cert-file=/var/lib/k0s/pki/etcd/server.crt", "--key-file=/home/etcd/server.key")
    running = Process(
        pid=5,
        uid=995,
        arguments=("/var/lib/k0s/bin/etcd", *flags),
        cgroup="/system.slice/k0scontroller.service",
        mounts=HOST,
        started=None,
    )
    found = look(tmp_path, (OWN, running, replace(running, uid=65534, pid=6)))
    assert found.node.distribution is Distribution.K0S
    assert found.node.processes_ignored == {"user": 1}
    rows = [line for line in table(found.references) if " process " in line]
    assert rows == [
        "etcd cert-file certificate etcd-server /var/lib/k0s/pki/etcd/server.crt process required"
    ]
    assert [failure.place.path for failure in found.failures] == ["/home/etcd/server.key"]


@pytest.mark.parametrize(
    ("mark", "path", "is_read"),
    [
        ("/var/lib/k0s/pki/ca.crt", "/var/lib/k0s/konnectivity.conf", True),
        ("/var/lib/k0s/pki/ca.crt", "/home/kube/egress.yaml", False),
    ],
)
def test_a_component_users_word_leads_to_the_distributions_configuration(
    tmp_path: Path, mark: str, path: str, *, is_read: bool
) -> None:
    """Where the distribution itself puts a configuration file it is read, whoever the component runs as."""
    plant(tmp_path, {mark: "", "/etc/passwd": "kube-apiserver:x:996:994::/:/bin/false\n", path: "{"})
    running = Process(
        pid=5,
        uid=996,
        arguments=("kube-apiserver", f"--egress-selector-config-file={path}"),
        cgroup="/system.slice/k0scontroller.service",
        mounts=HOST,
        started=None,
    )
    reason = Reason.MALFORMED_CONFIGURATION if is_read else Reason.UNTRUSTED_REFERENCE
    assert look(tmp_path, (OWN, running)).failures == (Failure(Place(path), reason),)


@pytest.mark.parametrize(
    ("arguments", "node_type"),
    [
        (("/usr/local/bin/k3s server", "", ""), NodeType.CONTROL_PLANE),
        (("/usr/local/bin/k3s", "server", "--cluster-init"), NodeType.CONTROL_PLANE),
        (("/usr/local/bin/k3s agent", ""), NodeType.WORKER),
        (("/usr/local/bin/k3s", "agent"), NodeType.WORKER),
    ],
)
def test_an_agents_leftover_server_files_are_not_in_use(
    tmp_path: Path, arguments: tuple[str, ...], node_type: NodeType
) -> None:
    """What the program was started as goes before what lies about."""
    plant(
        tmp_path,
        {"/var/lib/rancher/k3s/server/tls/": "", "/var/lib/rancher/k3s/agent/kubelet.kubeconfig": ""},
    )
    running = Process(
        pid=7, uid=0, arguments=arguments, cgroup="/system.slice/k3s.service", mounts=HOST, started=None
    )
    found = look(tmp_path, (OWN, running))
    assert found.node.type is node_type
    assert any(r.component == "kube-apiserver" for r in found.references) is (
        node_type is NodeType.CONTROL_PLANE
    )


def test_the_start_of_each_component_is_known(tmp_path: Path) -> None:
    """The earliest process of a name counts, of those that are evidence; a forger's start does not."""
    plant(tmp_path, KUBEADM)
    crowd = (
        OWN,
        kubelet("--v=2"),
        etcd(),
        replace(etcd(), pid=901, started=150.0),
        replace(etcd(), pid=902, started=1.0, cgroup=FROM_THE_API),
        replace(etcd(), pid=903, started=None),
        replace(kubelet(), pid=904, arguments=("k3s server",), started=50.0),
        replace(kubelet(), pid=905, arguments=("k3s server",), started=5.0, cgroup="/docker/" + "f" * 64),
    )
    node = look(tmp_path, crowd).node
    assert node.component_starts == {"etcd": 150.0, "k3s": 50.0, "kubelet": 100.0}
    assert node.processes_ignored == {"foreign_mounts": 1, "pod": 1}


def test_what_runs_tells_the_distribution(tmp_path: Path) -> None:
    """Files of kubeadm on a node that now runs k3s are leftovers; a pod's program tells nothing."""
    plant(tmp_path, KUBEADM)
    running = Process(pid=7, uid=0, arguments=("k3s server",), cgroup="/k3s", mounts=HOST, started=None)
    assert look(tmp_path, (OWN, running)).node.distribution is Distribution.K3S
    for cgroup in (FROM_THE_API, "/docker/" + "f" * 64):
        other = replace(running, cgroup=cgroup)
        assert look(tmp_path, (OWN, other)).node.distribution is Distribution.KUBEADM


def test_leftovers_do_not_tell_the_distribution(tmp_path: Path) -> None:
    """Where a kubelet runs without k3s, what k3s left is old; an empty directory is the last to tell."""
    plant(tmp_path, {**KUBEADM, "/var/lib/rancher/k3s/server/tls/": "", "/etc/rancher/rke2/": ""})
    assert look(tmp_path, (OWN,)).node.distribution is Distribution.K3S
    assert look(tmp_path, (OWN, kubelet("--v=2"))).node.distribution is Distribution.KUBEADM
    (tmp_path / "var/lib/rancher/k3s/server/tls").rmdir()
    assert look(tmp_path).node.distribution is Distribution.KUBEADM
    (tmp_path / "etc/kubernetes/kubelet.conf").unlink()
    assert look(tmp_path).node.distribution is Distribution.RKE2


def test_bounds_keep_a_crowd_cheap(tmp_path: Path) -> None:
    """At most 32 processes count, each with at most 64 flags with paths."""
    crowd = [replace(etcd(), pid=pid) for pid in range(1000, 1040)]
    _, ignored = seen(tmp_path, *crowd)
    assert ignored == {"too_many": 8}
    many = [f"--flag-{n}=/etc/kubernetes/pki/{n}" for n in range(64)]
    rows, _ = seen(tmp_path, etcd(*many, "--cert-file=/etc/kubernetes/pki/etcd/server.crt"))
    assert rows == []


def test_odd_command_lines_are_no_components(tmp_path: Path) -> None:
    """No argument, an empty one, or a path that only holds a component's name."""
    odd = [replace(etcd(), arguments=arguments) for arguments in ((), ("",), ("/etcd/x",), ("etcdctl",))]
    assert seen(tmp_path, *odd) == ([], {})
