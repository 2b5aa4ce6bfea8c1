"""What a pod of ours may see and do, on every overlay and for every preset of the chart."""

import posixpath
import re
from collections.abc import Iterator
from itertools import chain, combinations
from typing import Any

import pytest

from tests.deploy.rendering import SHAPES, VARIANTS, Object, container_of, of_kind, pod_of, rendered

PRIVATE = (
    "/etc/shadow",
    "/home",
    "/root",
    "/run/containerd/containerd.sock",
    "/run/k0s/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/secrets",
    "/var/lib/containerd",
    "/var/lib/etcd",
    "/var/lib/k0s/containerd",
    "/var/lib/k0s/etcd",
    "/var/lib/k0s/kubelet/pods",
    "/var/lib/kubelet/device-plugins/kubelet.sock",
    "/var/lib/kubelet/pods",
    "/var/lib/minikube/etcd",
    "/var/lib/rancher/k3s/agent/containerd",
    "/var/lib/rancher/k3s/server/db/etcd/member",
    "/var/lib/rancher/k3s/server/db/state.db",
    "/var/lib/rancher/k3s/server/token",
    "/var/lib/rancher/rke2/agent/containerd",
    "/var/lib/rancher/rke2/server/db/etcd/member",
    "/var/lib/rancher/rke2/server/token",
    "/var/log",
    "/var/snap/microk8s/common",
    "/var/snap/microk8s/current/var/kubernetes/backend/snapshot",
)
"""Other pods' Secrets, databases, runtime sockets, tokens: nothing of it is a file of the node's own PKI."""

DAEMONSETS = pytest.mark.parametrize("variant", VARIANTS)


def mounts(daemonset: Object) -> Iterator[tuple[Object, Object]]:
    """Pair each mount with its volume."""
    volumes = {volume["name"]: volume for volume in pod_of(daemonset).get("volumes", [])}
    for mount in container_of(daemonset)["volumeMounts"]:
        yield mount, volumes[mount["name"]]


def host_mounts(daemonset: Object) -> Iterator[tuple[Object, Object]]:
    """Pair each mount of the host's files with its hostPath."""
    return ((mount, volume["hostPath"]) for mount, volume in mounts(daemonset) if "hostPath" in volume)


def covers(path: str, other: str) -> bool:
    """Tell whether *other* is *path* or below it."""
    return posixpath.commonpath((path, other)) == path


@DAEMONSETS
def test_host_paths_are_never_created(variant: str) -> None:
    """A hostPath has type Directory or File: any other type makes the path where it is missing."""
    for daemonset in of_kind(rendered(variant), "DaemonSet"):
        volumes = [volume for volume in pod_of(daemonset)["volumes"] if "hostPath" in volume]
        assert volumes
        assert {volume["hostPath"]["type"] for volume in volumes} <= {"Directory", "File"}


@DAEMONSETS
def test_nothing_private_is_mounted(variant: str) -> None:
    """No mount reaches a database, other pods' Secrets, a runtime's socket or a token, unless masked."""
    for daemonset in of_kind(rendered(variant), "DaemonSet"):
        masked = [
            mount["mountPath"].removeprefix("/host")
            for mount, volume in mounts(daemonset)
            if "emptyDir" in volume
        ]
        for _, host in host_mounts(daemonset):
            exposed = [path for path in PRIVATE if covers(host["path"], path)]
            assert [path for path in exposed if not any(covers(mask, path) for mask in masked)] == []


@DAEMONSETS
def test_every_mount_is_read_only_at_its_own_place(variant: str) -> None:
    """The host's files stand below /host at their own path, read-only with every mount below them."""
    for daemonset in of_kind(rendered(variant), "DaemonSet"):
        assert all(mount["readOnly"] is True for mount, _ in mounts(daemonset))
        for mount, host in host_mounts(daemonset):
            assert mount["mountPath"] == f"/host{host['path']}"
            assert mount["recursiveReadOnly"] == "IfPossible"
            assert not {"mountPropagation", "subPath", "subPathExpr"} & set(mount)


@DAEMONSETS
def test_a_mask_covers_a_part_of_a_mounted_directory(variant: str) -> None:
    """An empty volume hides what stands there; elsewhere it would need a new directory on the host."""
    for daemonset in of_kind(rendered(variant), "DaemonSet"):
        shown = [host["path"] for _, host in host_mounts(daemonset)]
        for mount, volume in mounts(daemonset):
            if "emptyDir" in volume:
                hidden = mount["mountPath"].removeprefix("/host")
                assert any(covers(path, hidden) and path != hidden for path in shown)


@DAEMONSETS
def test_the_pod_shares_nothing_with_the_host(variant: str) -> None:
    """No host namespace, no token, no service links."""
    for daemonset in of_kind(rendered(variant), "DaemonSet"):
        pod = pod_of(daemonset)
        assert not any(pod.get(key) for key in ("hostPID", "hostNetwork", "hostIPC", "shareProcessNamespace"))
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        assert not any("hostPort" in port for port in container_of(daemonset)["ports"])
    for account in of_kind(rendered(variant), "ServiceAccount"):
        assert account["automountServiceAccountToken"] is False
    assert not [each for each in rendered(variant) if "Role" in each["kind"]]


@DAEMONSETS
def test_uid_0_has_no_power_but_its_own_files(variant: str) -> None:
    """Root without capabilities, without escalation, on a read-only root, under a seccomp profile."""
    for daemonset in of_kind(rendered(variant), "DaemonSet"):
        pod, container = pod_of(daemonset), container_of(daemonset)["securityContext"]
        assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["runAsGroup"]) == (0, 0)
        assert container["allowPrivilegeEscalation"] is False
        assert container["readOnlyRootFilesystem"] is True
        assert not container.get("privileged")
        assert container["capabilities"]["drop"] == ["ALL"]


@DAEMONSETS
def test_dac_read_search_comes_with_its_seccomp_profile(variant: str) -> None:
    """Under RuntimeDefault the capability allows open_by_handle_at, and so every file of the host."""
    for daemonset in of_kind(rendered(variant), "DaemonSet"):
        added = container_of(daemonset)["securityContext"]["capabilities"].get("add", [])
        profile = pod_of(daemonset)["securityContext"]["seccompProfile"]
        if added:
            assert added == ["DAC_READ_SEARCH"]
            assert profile == {"type": "Localhost", "localhostProfile": "kube-pki-exporter.json"}
        else:
            assert profile == {"type": "RuntimeDefault"}


@pytest.mark.parametrize(
    ("variant", "powerful"),
    [
        ("kustomize:kubeadm", []),
        ("kustomize:k0s", []),
        ("kustomize:k0s-controllers", ["kube-pki-exporter-controller"]),
        ("helm:distribution=k0s-controllers", ["kube-pki-exporter-controller"]),
        ("kustomize:rke2", []),
        ("kustomize:rke2-cis", ["kube-pki-exporter-server-etcd"]),
        ("kustomize:no-operator/rke2-cis", ["kube-pki-exporter-server-etcd"]),
        ("helm:distribution=rke2-cis", ["kube-pki-exporter-server-etcd"]),
        (
            "helm:nodeShapes.etcd.dac_read_search=true,nodeShapes.other.dac_read_search=false",
            ["kube-pki-exporter-etcd"],
        ),
    ],
)
def test_the_capability_is_only_where_the_pki_has_other_owners(variant: str, powerful: list[str]) -> None:
    """Nobody gets CAP_DAC_READ_SEARCH who did not choose it."""
    found = [
        daemonset["metadata"]["name"]
        for daemonset in of_kind(rendered(variant), "DaemonSet")
        if "add" in container_of(daemonset)["securityContext"]["capabilities"]
    ]
    assert sorted(found) == powerful


@DAEMONSETS
def test_the_pod_stays_on_every_node(variant: str) -> None:
    """It tolerates every taint, is critical, bounded in memory, probed, and replaced a few at a time."""
    for daemonset in of_kind(rendered(variant), "DaemonSet"):
        pod, container = pod_of(daemonset), container_of(daemonset)
        assert pod["tolerations"] == [{"operator": "Exists"}]
        assert pod["priorityClassName"] == "system-node-critical"
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}
        assert set(container["resources"]["limits"]) == {"memory"}
        assert {"livenessProbe", "readinessProbe"} <= set(container)
        assert daemonset["spec"]["updateStrategy"]["type"] == "RollingUpdate"


@DAEMONSETS
def test_selectors_pick_their_own_pods_alone(variant: str) -> None:
    """A DaemonSet's selector matches its own pods and no other's, so that no two fight over one."""
    daemonsets = of_kind(rendered(variant), "DaemonSet")
    for daemonset in daemonsets:
        wanted = daemonset["spec"]["selector"]["matchLabels"].items()
        matching = [
            other["metadata"]["name"]
            for other in daemonsets
            if wanted <= other["spec"]["template"]["metadata"]["labels"].items()
        ]
        assert matching == [daemonset["metadata"]["name"]]


@DAEMONSETS
def test_volumes_have_names_that_the_api_accepts(variant: str) -> None:
    """A volume's name is a DNS label, and one stands for one path."""
    for daemonset in of_kind(rendered(variant), "DaemonSet"):
        names = [volume["name"] for volume in pod_of(daemonset)["volumes"]]
        assert all(re.fullmatch("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name) for name in names)
        assert len(set(names)) == len(names)


def selects(daemonset: Object, labels: frozenset[str]) -> bool:
    """Tell whether a node with these labels gets a pod."""
    affinity = pod_of(daemonset).get("affinity")
    if affinity is None:
        return True
    required = affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    (term,) = required["nodeSelectorTerms"]
    return all(
        (expression["key"] in labels) == (expression["operator"] == "Exists")
        for expression in term["matchExpressions"]
    )


@pytest.mark.parametrize("distribution", SHAPES)
def test_every_node_has_exactly_one_pod(distribution: str) -> None:
    """The shapes of a distribution divide its nodes, whatever labels one has."""
    daemonsets = of_kind(rendered(f"kustomize:{distribution}"), "DaemonSet")
    shapes: list[dict[str, Any]] = list(SHAPES[distribution].values())
    labels = {key for shape in shapes for key in (*shape.get("requires", []), *shape.get("excludes", []))}
    for node in chain.from_iterable(combinations(sorted(labels), size) for size in range(len(labels) + 1)):
        chosen = [each["metadata"]["name"] for each in daemonsets if selects(each, frozenset(node))]
        assert len(chosen) == 1, node


@DAEMONSETS
def test_the_network_policy_lets_scrapes_in_and_nothing_out(variant: str) -> None:
    """Port 9795 is all that the pods offer, and they open no connection."""
    (policy,) = of_kind(rendered(variant), "NetworkPolicy")
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert policy["spec"]["ingress"] == [{"ports": [{"protocol": "TCP", "port": 9795}]}]
    assert policy["spec"].get("egress", []) == []
    for daemonset in of_kind(rendered(variant), "DaemonSet"):
        labels = daemonset["spec"]["template"]["metadata"]["labels"].items()
        assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels


@pytest.mark.parametrize("variant", [variant for variant in VARIANTS if variant.startswith("kustomize:")])
def test_the_namespace_admits_its_own_pods(variant: str) -> None:
    """PodSecurity refuses any hostPath below the level privileged."""
    (namespace,) = of_kind(rendered(variant), "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "privileged"


@DAEMONSETS
def test_the_node_label_comes_with_every_scrape(variant: str) -> None:
    """Alerts and dashboards name a node by the label ``node``: the name in the pod's specification."""
    monitors = [each for each in rendered(variant) if each["kind"] in {"PodMonitor", "ServiceMonitor"}]
    for monitor in monitors:
        spec = monitor["spec"]
        (endpoint,) = spec.get("podMetricsEndpoints") or spec["endpoints"]
        added = {"sourceLabels": ["__meta_kubernetes_pod_node_name"], "targetLabel": "node"}
        assert added in endpoint["relabelings"]
    services = of_kind(rendered(variant), "Service")
    assert monitors or services
    for service in services:
        assert service["spec"]["clusterIP"] == "None"
