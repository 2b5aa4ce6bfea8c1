"""Static pods: which files count, and where on the host their paths are."""

import json
from pathlib import Path

import pytest

from exporter.model import Failure, NodeType, Place, Reason
from tests.discovery.looking import look, plant, table

MANIFESTS = "/etc/kubernetes/manifests"
KUBELET = {"/var/lib/kubelet/config.yaml": f"kind: KubeletConfiguration\nstaticPodPath: {MANIFESTS}\n"}
MARK = {"/etc/kubernetes/kubelet.conf": ""}


def pod(*flags: str, mounts: str = "", volumes: str = "", name: str = "kube-scheduler") -> str:
    """A static pod of one component."""
    listed = "\n".join(f"    - {json.dumps(flag)}" for flag in (name, *flags))
    return (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: it\nspec:\n  containers:\n  - name: it\n"
        f"    command:\n{listed}\n    volumeMounts: [{mounts}]\n  volumes: [{volumes}]\n"
    )


WHOLE = {
    "mounts": "{name: k, mountPath: /etc/kubernetes}",
    "volumes": "{name: k, hostPath: {path: /etc/kubernetes}}",
}


def paths(root: Path, setting: str = "client-ca-file") -> list[str]:
    """The paths that one setting names."""
    return [reference.path for reference in look(root).references if reference.setting == setting]


@pytest.mark.parametrize(
    ("mounts", "volumes", "inside", "expected"),
    [
        (
            "{name: a, mountPath: /pki}",
            "{name: a, hostPath: {path: /srv/k}}",
            "/pki/ca.crt",
            ["/srv/k/ca.crt"],
        ),
        (
            "{name: a, mountPath: /pki/}",
            "{name: a, hostPath: {path: /srv/k/}}",
            "/pki//ca.crt",
            ["/srv/k/ca.crt"],
        ),
        (
            "{name: a, mountPath: /pki, subPath: deep/er}",
            "{name: a, hostPath: {path: /srv/k}}",
            "/pki/ca.crt",
            ["/srv/k/deep/er/ca.crt"],
        ),
        (
            "{name: a, mountPath: /pki}, {name: b, mountPath: /pki/etcd}",
            "{name: a, hostPath: {path: /srv/k}}, {name: b, hostPath: {path: /srv/e}}",
            "/pki/etcd/ca.crt",
            ["/srv/e/ca.crt"],
        ),
        (
            "{name: a, mountPath: /pki/ca.crt}",
            "{name: a, hostPath: {path: /srv/x}}",
            "/pki/ca.crt",
            ["/srv/x"],
        ),
        ("{name: a, mountPath: /}", "{name: a, hostPath: {path: /}}", "/pki/ca.crt", ["/pki/ca.crt"]),
        ("{name: a, mountPath: /pk}", "{name: a, hostPath: {path: /srv/k}}", "/pki/ca.crt", []),
        ("{name: a, mountPath: /pki}", "{name: a, secret: {secretName: s}}", "/pki/ca.crt", []),
        ("{name: a, mountPath: /pki}", "{name: a, emptyDir: {}}", "/pki/ca.crt", []),
        ("{name: a, mountPath: /pki}", "", "/pki/ca.crt", []),
        (
            "{name: a, mountPath: /pki, subPathExpr: $(POD)}",
            "{name: a, hostPath: {path: /srv/k}}",
            "/pki/ca.crt",
            [],
        ),
        ("{name: a, mountPath: pki}", "{name: a, hostPath: {path: /srv/k}}", "/pki/ca.crt", []),
        ("{name: a, mountPath: /pki}", "{name: a, hostPath: {path: /srv/k}}", "pki/ca.crt", []),
        ("{name: a, mountPath: /pki}", "{name: a, hostPath: {path: /srv/k}}", "/pki/../etc/ca.crt", []),
    ],
)
def test_a_containers_path_is_mapped_to_the_hosts(
    tmp_path: Path, mounts: str, volumes: str, inside: str, expected: list[str]
) -> None:
    """The longest mount path decides; what is no hostPath is not on the host."""
    manifest = pod(f"--client-ca-file={inside}", mounts=mounts, volumes=volumes)
    plant(tmp_path, {**MARK, **KUBELET, f"{MANIFESTS}/scheduler.yaml": manifest})
    assert paths(tmp_path) == expected


def test_every_regular_file_without_a_dot_is_a_pod(tmp_path: Path) -> None:
    """The kubelet takes any extension: a backup beside the manifest is a second pod, and counts."""
    for name, ca in (
        ("kube-scheduler.yaml", "one"),
        ("kube-scheduler.yaml.bak", "two"),
        ("scheduler", "three"),
        (".kube-scheduler.yaml.swp", "four"),
        ("old/kube-scheduler.yaml", "five"),
    ):
        plant(
            tmp_path,
            {f"{MANIFESTS}/{name}": pod(f"--client-ca-file=/etc/kubernetes/{ca}.crt", **WHOLE)},
        )
    plant(tmp_path, {**MARK, **KUBELET})
    assert paths(tmp_path) == [f"/etc/kubernetes/{ca}.crt" for ca in ("one", "three", "two")]


def test_the_kubelet_may_be_given_one_file(tmp_path: Path) -> None:
    """``staticPodPath`` can be a manifest itself."""
    plant(
        tmp_path,
        {
            **MARK,
            "/var/lib/kubelet/config.yaml": "kind: KubeletConfiguration\nstaticPodPath: /etc/pod.yaml\n",
            "/etc/pod.yaml": pod("--client-ca-file=/etc/kubernetes/ca.crt", **WHOLE),
        },
    )
    assert paths(tmp_path) == ["/etc/kubernetes/ca.crt"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "kind: Pod",
        "kind: Deployment\nspec: {containers: [{}]}",
        "kind: Pod\nspec: {containers: {}}",
        b"\xff",
    ],
)
def test_a_manifest_that_the_kubelet_refuses_is_a_failure(tmp_path: Path, content: str | bytes) -> None:
    """The broken one is named, the others count."""
    plant(
        tmp_path,
        {
            **MARK,
            **KUBELET,
            f"{MANIFESTS}/a.yaml": content,
            f"{MANIFESTS}/b.yaml": pod("--client-ca-file=/etc/kubernetes/ca.crt", **WHOLE),
        },
    )
    failures = look(tmp_path).failures
    assert failures == (Failure(Place(f"{MANIFESTS}/a.yaml"), Reason.MALFORMED_CONFIGURATION),)
    assert paths(tmp_path) == ["/etc/kubernetes/ca.crt"]


def test_a_manifest_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    """A manifest beyond the size limit or behind a loop of links is named with its reason."""
    plant(tmp_path, {**MARK, **KUBELET, f"{MANIFESTS}/big.yaml": b"#" * (2 << 20)})
    (tmp_path / MANIFESTS[1:] / "loop.yaml").symlink_to("loop.yaml")
    assert {(failure.place.path, failure.reason) for failure in look(tmp_path).failures} == {
        (f"{MANIFESTS}/big.yaml", Reason.TOO_LARGE),
        (f"{MANIFESTS}/loop.yaml", Reason.LINK_LOOP),
    }


def test_a_big_manifest_is_read_each_time(tmp_path: Path) -> None:
    """A manifest too big to be remembered counts like any other."""
    manifest = pod("--client-ca-file=/etc/kubernetes/ca.crt", **WHOLE) + "# " + "x" * (70 * 1024) + "\n"
    plant(tmp_path, {**MARK, **KUBELET, f"{MANIFESTS}/a.yaml": manifest})
    assert paths(tmp_path) == ["/etc/kubernetes/ca.crt"]


def test_too_many_manifests_are_cut(tmp_path: Path) -> None:
    """Beyond 500 files a directory is named as too full, and the first 500 count."""
    plant(tmp_path, {**MARK, **KUBELET, **{f"{MANIFESTS}/{n:04}.yaml": "kind: Pod" for n in range(501)}})
    failures = {failure.place.path: failure.reason for failure in look(tmp_path).failures}
    assert failures[MANIFESTS] is Reason.TOO_MANY_FILES
    assert f"{MANIFESTS}/0499.yaml" in failures
    assert f"{MANIFESTS}/0500.yaml" not in failures


def test_a_list_of_pods_is_all_of_them(tmp_path: Path) -> None:
    """The kubelet also takes a PodList, and JSON."""
    one = {
        "kind": "Pod",
        "spec": {
            "containers": [
                {
                    "name": "kube-scheduler",
                    "args": ["--client-ca-file=/k/ca.crt"],
                    "volumeMounts": [{"name": "k", "mountPath": "/k"}],
                }
            ],
            "volumes": [{"name": "k", "hostPath": {"path": "/etc/kubernetes"}}],
        },
    }
    other = {"kind": "Pod", "spec": {"containers": [{"name": "pause", "command": ["pause"]}]}}
    manifest = json.dumps({"kind": "PodList", "items": [one, other]})
    plant(tmp_path, {**MARK, **KUBELET, f"{MANIFESTS}/all.json": manifest})
    assert paths(tmp_path) == ["/etc/kubernetes/ca.crt"]


def test_a_label_names_the_component_where_the_image_starts_it(tmp_path: Path) -> None:
    """A container with flags alone is what its name or the pod's ``component`` label says."""
    manifest = """
kind: Pod
metadata: {labels: {component: kube-scheduler}}
spec:
  containers:
  - {name: main, args: [--client-ca-file=/k/ca.crt], volumeMounts: [{name: k, mountPath: /k}]}
  - {name: other, args: [serve]}
  volumes: [{name: k, hostPath: {path: /etc/kubernetes}}]
"""
    plant(tmp_path, {**MARK, **KUBELET, f"{MANIFESTS}/a.yaml": manifest})
    assert paths(tmp_path) == ["/etc/kubernetes/ca.crt"]


def test_variables_of_the_container_are_expanded(tmp_path: Path) -> None:
    """``$(NAME)`` takes the container's own variables, in their order; from elsewhere they stay unknown."""
    manifest = """
kind: Pod
spec:
  containers:
  - command: [kube-scheduler]
    args: ["--client-ca-file=$(FILE)", "--requestheader-client-ca-file=$(SECRET)/x.crt", 7]
    env:
    - {name: DIR, value: /etc/kubernetes}
    - {name: FILE, value: $(DIR)/ca.crt}
    - {name: SECRET, valueFrom: {secretKeyRef: {name: s, key: k}}}
    - {value: nameless}
    volumeMounts: [{name: k, mountPath: /etc/kubernetes}]
  volumes: [{name: k, hostPath: {path: /etc/kubernetes}}]
"""
    plant(tmp_path, {**MARK, **KUBELET, f"{MANIFESTS}/a.yaml": manifest})
    assert paths(tmp_path) == ["/etc/kubernetes/ca.crt"]
    assert paths(tmp_path, "requestheader-client-ca-file") == []


def test_init_containers_count(tmp_path: Path) -> None:
    """A component that runs as a sidecar among the init containers is one, too."""
    manifest = """
kind: Pod
spec:
  initContainers:
  - command: [kube-scheduler, --client-ca-file=/k/ca.crt]
    volumeMounts: [{name: k, mountPath: /k}]
  containers: [{name: pause}]
  volumes: [{name: k, hostPath: {path: /etc/kubernetes}}]
"""
    plant(tmp_path, {**MARK, **KUBELET, f"{MANIFESTS}/a.yaml": manifest})
    assert paths(tmp_path) == ["/etc/kubernetes/ca.crt"]


def test_where_the_kubelet_reads_no_directory_there_are_no_static_pods(tmp_path: Path) -> None:
    """Manifests left in the usual place are leftovers when the kubelet's configuration names none."""
    manifest = pod("--client-ca-file=/etc/kubernetes/ca.crt", **WHOLE)
    plant(tmp_path, {**MARK, f"{MANIFESTS}/a.yaml": manifest})
    assert paths(tmp_path) == ["/etc/kubernetes/ca.crt"]
    plant(tmp_path, {"/var/lib/kubelet/config.yaml": "kind: KubeletConfiguration\n"})
    assert paths(tmp_path) == []
    assert look(tmp_path).node.type is NodeType.WORKER


def test_server_name_certificates_and_own_ones_are_references(tmp_path: Path) -> None:
    """``--tls-sni-cert-key`` names pairs, and without a pair a component makes its own in ``--cert-dir``."""
    manifest = pod(
        "--tls-sni-cert-key=/etc/kubernetes/a.crt,/etc/kubernetes/a.key",
        "--tls-sni-cert-key=/etc/kubernetes/b.crt,/etc/kubernetes/b.key:b.example,*.b.example",
        "--cert-dir=/etc/kubernetes/own",
        name="kube-apiserver",
        **WHOLE,
    )
    plant(tmp_path, {**MARK, **KUBELET, f"{MANIFESTS}/a.yaml": manifest})
    found = look(tmp_path)
    rows = [line for line in table(found.references) if line.startswith("kube-apiserver")]
    assert rows == [
        "kube-apiserver cert-dir certificate apiserver /etc/kubernetes/own/apiserver.crt manifest optional",
        "kube-apiserver cert-dir private_key apiserver /etc/kubernetes/own/apiserver.key manifest optional",
        "kube-apiserver tls-sni-cert-key certificate apiserver /etc/kubernetes/a.crt manifest required",
        "kube-apiserver tls-sni-cert-key certificate apiserver /etc/kubernetes/b.crt manifest required",
        "kube-apiserver tls-sni-cert-key private_key apiserver /etc/kubernetes/a.key manifest required",
        "kube-apiserver tls-sni-cert-key private_key apiserver /etc/kubernetes/b.key manifest required",
    ]
    assert found.node.api_names == ()
