"""Trees of the distributions that no recording exists of, as their sources write them."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from exporter.discovery.distributions import LAYOUTS
from exporter.model import Distribution, NodeType, Origin, Reference, Requirement, Role
from tests.discovery.looking import files_of, look, plant, table


def kubeconfig(user: str, authority: str = "") -> str:
    """A kubeconfig whose user and CA are given by path."""
    cluster = f"server: https://127.0.0.1:6443, certificate-authority: '{authority}'"
    return (
        "kind: Config\ncurrent-context: it\ncontexts: [{name: it, context: {cluster: c, user: u}}]\n"
        f"users: [{{name: u, user: {{{user}}}}}]\nclusters: [{{name: c, cluster: {{{cluster}}}}}]\n"
    )


CURRENT = "/var/lib/kubelet/pki/kubelet-client-current.pem"
PAIR = f"client-certificate: {CURRENT}, client-key: {CURRENT}"
EXEC = "exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Never}"
FIELDS = "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\n"


def pod(command: list[str], mounts: Mapping[str, str], args: tuple[str, ...] = ()) -> str:
    """A static pod with one container and the host's directories that it sees."""
    container = {
        "name": "it",
        "command": command,
        "args": list(args),
        "volumeMounts": [{"name": inside, "mountPath": inside} for inside in mounts],
    }
    volumes = [{"name": inside, "hostPath": {"path": path}} for inside, path in mounts.items()]
    return json.dumps({"kind": "Pod", "spec": {"containers": [container], "volumes": volumes}})


RKE2 = "/var/lib/rancher/rke2"
RKE2_TREE = {
    f"{RKE2}/server/tls/": "",
    f"{RKE2}/server/db/etcd/config": (
        f"client-transport-security: {{cert-file: {RKE2}/server/tls/etcd/server-client.crt,"
        f" client-cert-auth: true, trusted-ca-file: {RKE2}/server/tls/etcd/server-ca.crt}}\n"
        "listen-client-urls: https://127.0.0.1:2379\nlisten-peer-urls: https://127.0.0.1:2380\n"
    ),
    f"{RKE2}/agent/kubelet.kubeconfig": kubeconfig(
        f"client-certificate: {RKE2}/agent/client-kubelet.crt", f"{RKE2}/agent/server-ca.crt"
    ),
    f"{RKE2}/agent/etc/kubelet.conf.d/00-rke2-defaults.conf": (
        f"{FIELDS}staticPodPath: {RKE2}/agent/pod-manifests\ntlsCertFile: {RKE2}/agent/serving-kubelet.crt\n"
        f"authentication: {{x509: {{clientCAFile: {RKE2}/agent/client-ca.crt}}}}\n"
    ),
    f"{RKE2}/agent/pod-manifests/etcd.yaml": pod(
        ["etcd"], {RKE2: RKE2}, (f"--config-file={RKE2}/server/db/etcd/config",)
    ),
    f"{RKE2}/agent/pod-manifests/kube-apiserver.yaml": pod(
        ["kube-apiserver"],
        {f"{RKE2}/server": f"{RKE2}/server"},
        (
            f"--tls-cert-file={RKE2}/server/tls/serving-kube-apiserver.crt",
            f"--client-ca-file={RKE2}/server/tls/client-ca.crt",
            f"--kubelet-certificate-authority={RKE2}/server/tls/server-ca.crt",
        ),
    ),
}

OPENSHIFT = "/etc/kubernetes/static-pod-resources"
OPENSHIFT_TREE = {
    "/etc/kubernetes/kubelet.conf": (
        f"{FIELDS}rotateCertificates: true\nserverTLSBootstrap: true\n"
        "staticPodPath: /etc/kubernetes/manifests\n"
        "authentication: {x509: {clientCAFile: /etc/kubernetes/kubelet-ca.crt}}\n"
    ),
    "/var/lib/kubelet/kubeconfig": kubeconfig(PAIR),
    "/etc/kubernetes/manifests/etcd-pod.yaml": pod(
        [
            "/bin/sh",
            "-c",
            (
                "#!/bin/sh\n# it's etcd\nset -euo pipefail\netcdctl member list || true\n"
                "exec nice -n -19 etcd \\\n"
                "  --trusted-ca-file=/etc/kubernetes/static-pod-certs/configmaps/bundles/server-ca.crt \\\n"
                "  --client-cert-auth=true \\\n"
                "  --cert-file=/etc/kubernetes/static-pod-certs/secrets/all/etcd-serving-m0.crt \\\n"
                "  --listen-client-urls=https://0.0.0.0:2379 || exit 1\n"
            ),
        ],
        {"/etc/kubernetes/static-pod-certs": f"{OPENSHIFT}/etcd-certs"},
    ),
    "/etc/kubernetes/manifests/kube-apiserver-pod.yaml": pod(
        [
            "/bin/bash",
            "-ec",
            (
                "exec watch-termination -- hyperkube kube-apiserver"
                " --openshift-config=/etc/kubernetes/static-pod-resources/configmaps/config/config.yaml -v=2"
            ),
        ],
        {
            "/etc/kubernetes/static-pod-resources": f"{OPENSHIFT}/kube-apiserver-pod-7",
            "/etc/kubernetes/static-pod-certs": f"{OPENSHIFT}/kube-apiserver-certs",
        },
    ),
    f"{OPENSHIFT}/kube-apiserver-pod-7/configmaps/config/config.yaml": (
        "apiServerArguments:\n"
        "  tls-cert-file: [/etc/kubernetes/static-pod-certs/secrets/service-network/tls.crt]\n"
        "  client-ca-file: [/etc/kubernetes/static-pod-certs/configmaps/client-ca/ca-bundle.crt]\n"
        "  odd: 5\n"
        "servingInfo:\n"
        "  namedCertificates:\n"
        "  - {certFile: /etc/kubernetes/static-pod-certs/secrets/internal/tls.crt,"
        " keyFile: /etc/kubernetes/static-pod-certs/secrets/internal/tls.key, names: [api-int.example]}\n"
        "  - {odd: 5}\n"
    ),
}

KOPS_TREE = {
    "/srv/kubernetes/ca.crt": "",
    "/var/lib/kubelet/kubelet.conf": (
        f"{FIELDS}tlsCertFile: /srv/kubernetes/kubelet-server.crt\nstaticPodPath: /etc/kubernetes/manifests\n"
    ),
    "/etc/kubernetes/manifests/kube-apiserver.manifest": pod(
        ["/go-runner"],
        {"/srv/kubernetes": "/srv/kubernetes"},
        (
            "--log-file=/var/log/kube-apiserver.log",
            "--also-stdout",
            "/usr/local/bin/kube-apiserver",
            "--client-ca-file=/srv/kubernetes/ca.crt",
            "--tls-cert-file=/srv/kubernetes/kube-apiserver/server.crt",
        ),
    ),
}
TALOS_TREE = {
    "/system/secrets/kubernetes/kube-apiserver/": "",
    "/system/secrets/kubernetes/kube-scheduler/kubeconfig": kubeconfig("token: t"),
    "/system/secrets/etcd/": "",
    "/etc/kubernetes/kubeconfig-kubelet": kubeconfig(PAIR),
}
EKS_TREE = {
    "/etc/kubernetes/kubelet/config.json": json.dumps(
        {
            "kind": "KubeletConfiguration",
            "serverTLSBootstrap": True,
            "authentication": {"x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"}},
        }
    ),
    "/var/lib/kubelet/kubeconfig": kubeconfig(EXEC, "/etc/kubernetes/pki/ca.crt"),
    "/etc/kubernetes/pki/ca.crt": "",
}
EKS_OLD_TREE = {
    "/etc/kubernetes/kubelet/kubelet-config.json": json.dumps({"kind": "KubeletConfiguration"}),
    "/etc/iam/pki/server.pem": "",
}
AKS_TREE = {
    "/etc/kubernetes/azure.json": "{}",
    "/etc/kubernetes/certs/kubeletserver.crt": "",
    "/var/lib/kubelet/kubeconfig": kubeconfig(PAIR, "/etc/kubernetes/certs/ca.crt"),
    "/etc/systemd/system/kubelet.service": (
        "[Service]\nEnvironmentFile=/etc/default/kubelet\nExecStart=/usr/local/bin/kubelet $KUBELET_FLAGS\n"
    ),
    "/etc/default/kubelet": (
        "KUBELET_FLAGS=--kubeconfig=/var/lib/kubelet/kubeconfig --rotate-certificates=true"
        " --client-ca-file=/etc/kubernetes/certs/ca.crt"
        " --tls-cert-file=/etc/kubernetes/certs/kubeletserver.crt\n"
    ),
}
GKE_TREE = {
    "/home/kubernetes/kubelet-config.yaml": (
        f"{FIELDS}authentication: {{x509: {{clientCAFile: /etc/srv/kubernetes/pki/ca-certificates.crt}}}}\n"
        "rotateCertificates: true\n"
    ),
}
BOTTLEROCKET_TREE = {
    "/etc/kubernetes/kubelet/kubeconfig": kubeconfig(EXEC, "/etc/kubernetes/pki/ca.crt"),
    "/etc/kubernetes/kubelet/config": (
        f"{FIELDS}tlsCertFile: /etc/kubernetes/pki/kubelet-server.crt\n"
        "tlsPrivateKeyFile: /etc/kubernetes/pki/private/kubelet-server.key\n"
    ),
}
KIND_TREE = {
    "/kind/version": "v1",
    "/etc/kubernetes/kubelet.conf": kubeconfig(PAIR),
    "/var/lib/kubelet/config.yaml": f"{FIELDS}rotateCertificates: true\n",
}
KUBEADM_TREE = {
    "/var/lib/kubelet/kubeadm-flags.env": "",
    "/var/lib/kubelet/config.yaml": f"{FIELDS}staticPodPath: /etc/kubernetes/manifests\n",
    "/etc/kubernetes/manifests/kube-apiserver.yaml": pod(
        ["kube-apiserver"],
        {"/etc/kubernetes/pki": "/etc/kubernetes/pki"},
        ("--tls-cert-file=/etc/kubernetes/pki/apiserver.crt",),
    ),
}
KUBEADM_ON_AZURE_TREE = {
    **KUBEADM_TREE,
    "/etc/kubernetes/azure.json": "{}",
}
KUBEADM_BESIDE_SRV_TREE = {
    **KUBEADM_TREE,
    "/srv/kubernetes/nfs/": "",
}
K0S_WORKER_TREE = {"/var/lib/k0s/kubelet.conf": kubeconfig("token: t")}
K3S_AGENT_TREE = {
    path.replace("rke2", "k3s"): content.replace("rke2", "k3s")
    for path, content in RKE2_TREE.items()
    if "/agent/" in path and "/pod-manifests/" not in path
}
MICROK8S_WORKER_TREE = {
    "/var/snap/microk8s/current/args/kubelet": "--client-ca-file=${SNAP_DATA}/certs/ca.remote.crt\n",
    "/var/snap/microk8s/current/args/kube-apiserver": "--client-ca-file=${SNAP_DATA}/certs/ca.crt\n",
    "/var/snap/microk8s/current/var/lock/clustered.lock": "",
}

NODES: dict[str, tuple[dict[str, str], Distribution, NodeType]] = {
    "rke2": (RKE2_TREE, Distribution.RKE2, NodeType.CONTROL_PLANE),
    "openshift": (OPENSHIFT_TREE, Distribution.OPENSHIFT, NodeType.CONTROL_PLANE),
    "kops": (KOPS_TREE, Distribution.KOPS, NodeType.CONTROL_PLANE),
    "talos": (TALOS_TREE, Distribution.TALOS, NodeType.CONTROL_PLANE),
    "eks": (EKS_TREE, Distribution.EKS, NodeType.WORKER),
    "eks before nodeadm, hybrid": (EKS_OLD_TREE, Distribution.EKS, NodeType.WORKER),
    "aks": (AKS_TREE, Distribution.AKS, NodeType.WORKER),
    "gke": (GKE_TREE, Distribution.GKE, NodeType.WORKER),
    "bottlerocket": (BOTTLEROCKET_TREE, Distribution.BOTTLEROCKET, NodeType.WORKER),
    "kind": (KIND_TREE, Distribution.KIND, NodeType.WORKER),
    "kubeadm on Azure": (KUBEADM_ON_AZURE_TREE, Distribution.KUBEADM, NodeType.CONTROL_PLANE),
    "kubeadm with data in srv": (KUBEADM_BESIDE_SRV_TREE, Distribution.KUBEADM, NodeType.CONTROL_PLANE),
    "k0s worker": (K0S_WORKER_TREE, Distribution.K0S, NodeType.WORKER),
    "k3s agent": (K3S_AGENT_TREE, Distribution.K3S, NodeType.WORKER),
    "microk8s worker": (MICROK8S_WORKER_TREE, Distribution.MICROK8S, NodeType.WORKER),
    "nothing known": ({"/etc/hostname": "x"}, Distribution.UNKNOWN, NodeType.WORKER),
}

KUBEADM_ROWS = {
    "kube-apiserver tls-cert-file certificate apiserver /etc/kubernetes/pki/apiserver.crt manifest required",
    "kubeadm kubeadm private_key ca /etc/kubernetes/pki/ca.key convention optional",
}

EXPECTED = {
    "rke2": {
        (
            "etcd cert-file certificate etcd-server"
            " RKE2/server/tls/etcd/server-client.crt component_config required"
        ),
        "etcd trusted-ca-file trust etcd-ca RKE2/server/tls/etcd/server-ca.crt component_config required",
        "kube-apiserver client-ca-file trust client-ca RKE2/server/tls/client-ca.crt manifest required",
        (
            "kube-apiserver kubelet-certificate-authority trust server-ca"
            " RKE2/server/tls/server-ca.crt manifest required"
        ),
        (
            "kube-apiserver tls-cert-file certificate apiserver"
            " RKE2/server/tls/serving-kube-apiserver.crt manifest required"
        ),
        (
            "kubelet authentication.x509.clientCAFile trust client-ca"
            " RKE2/agent/client-ca.crt kubelet_config required"
        ),
        "kubelet kubeconfig trust server-ca RKE2/agent/server-ca.crt kubeconfig required",
        (
            "kubelet tlsCertFile certificate kubelet-server"
            " RKE2/agent/serving-kubelet.crt kubelet_config required"
        ),
        (
            "kube-controller-manager kubeconfig kubeconfig controller-manager.conf"
            " RKE2/server/cred/controller.kubeconfig convention optional"
        ),
        "rke2 rke2 certificate supervisor-server RKE2/server/tls/dynamic-cert.json convention optional",
        "kubectl rke2 kubeconfig admin.conf /etc/rancher/rke2/rke2.yaml convention optional",
    },
    "openshift": {
        (
            "etcd cert-file certificate etcd-server"
            " OPENSHIFT/etcd-certs/secrets/all/etcd-serving-m0.crt manifest required"
        ),
        (
            "etcd trusted-ca-file trust etcd-ca"
            " OPENSHIFT/etcd-certs/configmaps/bundles/server-ca.crt manifest required"
        ),
        (
            "kube-apiserver client-ca-file trust ca"
            " OPENSHIFT/kube-apiserver-certs/configmaps/client-ca/ca-bundle.crt component_config required"
        ),
        (
            "kube-apiserver tls-cert-file certificate apiserver"
            " OPENSHIFT/kube-apiserver-certs/secrets/service-network/tls.crt component_config required"
        ),
        *(
            f"kube-apiserver tls-sni-cert-key {part} apiserver"
            f" OPENSHIFT/kube-apiserver-certs/secrets/internal/tls.{suffix} component_config required"
            for part, suffix in (("certificate", "crt"), ("private_key", "key"))
        ),
        (
            "kubelet authentication.x509.clientCAFile trust client-ca"
            " /etc/kubernetes/kubelet-ca.crt kubelet_config required"
        ),
        f"kubelet kubeconfig certificate kubelet-client {CURRENT} kubeconfig required",
        (
            "kubelet serverTLSBootstrap certificate kubelet-server"
            " /var/lib/kubelet/pki/kubelet-server-current.pem kubelet_config generated"
        ),
    },
    "kops": {
        (
            "kube-apiserver tls-cert-file certificate apiserver"
            " /srv/kubernetes/kube-apiserver/server.crt manifest required"
        ),
        "kubelet client-ca-file trust ca /srv/kubernetes/ca.crt convention optional",
        (
            "kubelet tlsCertFile certificate kubelet-server"
            " /srv/kubernetes/kubelet-server.crt kubelet_config required"
        ),
        (
            "etcd-manager kops private_key etcd-ca"
            " /etc/kubernetes/pki/etcd-manager-main/etcd-clients-ca.key convention optional"
        ),
    },
    "talos": {
        "etcd cert-file certificate etcd-server /system/secrets/etcd/server.crt convention optional",
        (
            "kube-apiserver tls-cert-file certificate apiserver"
            " /system/secrets/kubernetes/kube-apiserver/apiserver.crt convention optional"
        ),
        "kubelet client-ca-file trust ca /etc/kubernetes/pki/ca.crt convention optional",
        f"kubelet kubeconfig certificate kubelet-client {CURRENT} kubeconfig required",
    },
    "eks": {
        (
            "kubelet authentication.x509.clientCAFile trust ca"
            " /etc/kubernetes/pki/ca.crt kubelet_config required"
        ),
        "kubelet kubeconfig kubeconfig kubelet-client /var/lib/kubelet/kubeconfig convention optional",
        "kubelet kubeconfig trust ca /etc/kubernetes/pki/ca.crt kubeconfig required",
        (
            "kubelet serverTLSBootstrap certificate kubelet-server"
            " /var/lib/kubelet/pki/kubelet-server-current.pem kubelet_config generated"
        ),
    },
    "eks before nodeadm, hybrid": {
        "aws_signing_helper eks certificate other /etc/iam/pki/server.pem convention optional",
    },
    "aks": {
        "kubelet client-ca-file trust ca /etc/kubernetes/certs/ca.crt unit required",
        (
            "kubelet tls-cert-file certificate kubelet-server"
            " /etc/kubernetes/certs/kubeletserver.crt unit required"
        ),
        f"kubelet rotate-certificates certificate kubelet-client {CURRENT} unit generated",
    },
    "gke": {
        (
            "kubelet authentication.x509.clientCAFile trust ca"
            " /etc/srv/kubernetes/pki/ca-certificates.crt kubelet_config required"
        ),
        f"kubelet rotateCertificates certificate kubelet-client {CURRENT} kubelet_config generated",
    },
    "bottlerocket": {
        (
            "kubelet tlsPrivateKeyFile private_key kubelet-server"
            " /etc/kubernetes/pki/private/kubelet-server.key kubelet_config required"
        ),
    },
    "kind": {f"kubelet rotateCertificates certificate kubelet-client {CURRENT} kubelet_config generated"},
    "kubeadm on Azure": KUBEADM_ROWS,
    "kubeadm with data in srv": KUBEADM_ROWS,
    "k0s worker": {
        "kubelet client-ca-file trust ca /run/k0s/kubelet/ca.crt convention optional",
        (
            "kubelet rotate-certificates certificate kubelet-client"
            " /var/lib/k0s/kubelet/pki/kubelet-client-current.pem convention generated"
        ),
    },
    "k3s agent": {
        ("kubelet kubeconfig trust server-ca /var/lib/rancher/k3s/agent/server-ca.crt kubeconfig required"),
    },
    "microk8s worker": {
        ("kubelet client-ca-file trust ca /var/snap/microk8s/current/certs/ca.remote.crt args_file required"),
    },
    "nothing known": set[str](),
}


@pytest.mark.parametrize("name", NODES)
def test_the_distribution_and_its_files_are_known(tmp_path: Path, name: str) -> None:
    """Each tree is told for what it is, and the files that matter there have their roles."""
    tree, distribution, node_type = NODES[name]
    found = look(plant(tmp_path, tree))
    assert (found.node.distribution, found.node.type) == (distribution, node_type)
    assert found.failures == ()
    expected = {
        line.replace(" RKE2/", f" {RKE2}/").replace(" OPENSHIFT/", f" {OPENSHIFT}/")
        for line in EXPECTED[name]
    }
    assert expected <= set(table(found.references))


@pytest.mark.parametrize("name", NODES)
def test_no_other_shapes_files_are_missing(tmp_path: Path, name: str) -> None:
    """A worker names no control-plane file, and no node requires what only a convention names."""
    tree, _, node_type = NODES[name]
    found = look(plant(tmp_path, tree))
    for reference in found.references:
        assert reference.origin is not Origin.CONVENTION or reference.requirement is not Requirement.REQUIRED
    if node_type is NodeType.WORKER:
        components = {reference.component for reference in found.references}
        assert components <= {"kubelet", "kube-proxy", "k3s", "aws_signing_helper"}
        assert found.node.listeners == ()
        assert found.node.api_names == ()


def test_openshifts_api_server_has_a_certificate_for_each_name(tmp_path: Path) -> None:
    """No single one covers all names then; without the others, the one has to."""
    path = f"{OPENSHIFT}/kube-apiserver-pod-7/configmaps/config/config.yaml"
    single = {path: OPENSHIFT_TREE[path].partition("servingInfo")[0]}
    assert look(plant(tmp_path, OPENSHIFT_TREE)).node.api_names == ()
    assert "kubernetes.default" in look(plant(tmp_path, {**OPENSHIFT_TREE, **single})).node.api_names


def test_rke2s_etcd_is_read_from_its_file(tmp_path: Path) -> None:
    """The manifest has no TLS flag; the file has them all."""
    listeners = look(plant(tmp_path, RKE2_TREE)).node.listeners
    assert [(item.url, item.client_auth, item.origin) for item in listeners] == [
        ("https://127.0.0.1:2379", "required", Origin.COMPONENT_CONFIG),
        ("https://127.0.0.1:2380", "none", Origin.COMPONENT_CONFIG),
    ]


MOVED = {
    "/data/k3s/server/tls/": "",
    "/data/k3s/agent/kubelet.kubeconfig": kubeconfig(
        "client-certificate: /data/k3s/agent/client-kubelet.crt"
    ),
}
WANTED = "/etc/systemd/system/multi-user.target.wants"


@pytest.mark.parametrize(
    "tree",
    [
        {"/etc/rancher/k3s/config.yaml": "data-dir: /data/k3s\n"},
        {
            "/etc/rancher/k3s/": "",
            f"{WANTED}/k3s.service": "",
            "/etc/systemd/system/k3s.service": (
                "[Service]\nExecStart=/usr/local/bin/k3s \\\n    server \\\n"
                "    '--data-dir' \\\n    '/data/k3s/'\n"
            ),
        },
        {
            "/etc/rancher/k3s/config.yaml": "data-dir: /elsewhere\n",
            f"{WANTED}/k3s-agent.service": "",
            "/etc/systemd/system/k3s-agent.service": "[Service]\nExecStart=/bin/k3s agent -d /data/k3s\n",
        },
    ],
)
def test_the_data_may_lie_elsewhere(tmp_path: Path, tree: dict[str, str]) -> None:
    """What is started at boot says where, else the configuration file; everything follows."""
    found = look(plant(tmp_path, {**MOVED, **tree}))
    assert found.node.distribution is Distribution.K3S
    assert found.failures == ()
    rows = set(table(found.references))
    assert {
        (
            "kube-apiserver client-ca-file trust client-ca"
            " /data/k3s/server/tls/client-ca.crt convention optional"
        ),
        (
            "kubelet kubeconfig certificate kubelet-client"
            " /data/k3s/agent/client-kubelet.crt kubeconfig required"
        ),
        "kubectl k3s kubeconfig admin.conf /etc/rancher/k3s/k3s.yaml convention optional",
    } <= rows
    assert not any("/var/lib/rancher" in line for line in rows)


@pytest.mark.parametrize("said", ["5", "relative", "/var/lib/rancher/k3s", "/", "/a b", "{"])
def test_what_names_no_other_directory_moves_nothing(tmp_path: Path, said: str) -> None:
    """The default stays in force."""
    tree = {"/etc/rancher/k3s/config.yaml": f"data-dir: {said}", "/var/lib/rancher/k3s/server/tls/": ""}
    rows = table(look(plant(tmp_path, tree)).references)
    assert any("/var/lib/rancher/k3s/server/tls/client-ca.crt" in line for line in rows)


def test_k0s_may_keep_its_data_elsewhere(tmp_path: Path) -> None:
    """The unit of k0s has the directory on its command line."""
    tree = {
        "/data/k0s/pki/etcd/ca.crt": "",
        f"{WANTED}/k0scontroller.service": "",
        "/etc/systemd/system/k0scontroller.service": (
            "[Service]\nExecStart=/bin/k0s controller --data-dir=/data/k0s\n"
        ),
    }
    rows = table(look(plant(tmp_path, tree)).references)
    assert "etcd trusted-ca-file trust etcd-ca /data/k0s/pki/etcd/ca.crt convention optional" in rows


@pytest.mark.parametrize(
    ("client", "root", "mode", "directory"),
    [
        ("/data/pki/ca.crt", "/data/pki/ca.crt", 0o600, "/data/pki"),
        ("/data/pki/ca.crt", "/etc/kubernetes/pki/ca.crt", 0o600, "/etc/kubernetes/pki"),
        ("/data/clients/bundle.crt", "/data/pki/ca.crt", 0o600, "/data/pki"),
        ("/data/clients/bundle.crt", "/data/pki/root.crt", 0o600, "/etc/kubernetes/pki"),
        ("/data/a b/ca.crt", "/data/a b/ca.crt", 0o600, "/etc/kubernetes/pki"),
        ("/ca.crt", "/ca.crt", 0o600, "/etc/kubernetes/pki"),
        ("/image/ca.crt", "/image/ca.crt", 0o600, "/etc/kubernetes/pki"),
        ("/data/pki/ca.crt", "/data/pki/ca.crt", 0o666, "/etc/kubernetes/pki"),
    ],
)
def test_kubeadms_certificates_may_lie_elsewhere(
    tmp_path: Path, client: str, root: str, mode: int, directory: str
) -> None:
    """They are where all flags that kubeadm gives its CA find it; what is searched stays."""
    manifests = "/etc/kubernetes/manifests"
    mounts = {"/": "/", "/image": ""}
    tree = {
        "/etc/kubernetes/admin.conf": "",
        f"{manifests}/a.json": pod(["kube-apiserver", f"--client-ca-file={client}"], mounts),
        f"{manifests}/c.json": pod(["kube-controller-manager", f"--root-ca-file={root}"], mounts),
        f"{manifests}/e.json": pod(["etcd"], mounts),
    }
    plant(tmp_path, tree)
    for name in ("a", "c"):
        (tmp_path / manifests[1:] / f"{name}.json").chmod(mode)
    found = look(tmp_path)
    rows = table(found.references)
    keys = {line.split()[4] for line in rows if line.startswith("kubeadm kubeadm private_key")}
    names = ("ca.key", "etcd/ca.key", "etcd/healthcheck-client.key", "front-proxy-ca.key")
    assert keys == {f"{directory}/{name}" for name in names}
    assert "/etc/kubernetes/pki/**" in {search.pattern for search in found.searches}


def test_of_an_upgrades_backups_only_what_can_hold_certificates_is_looked_at(tmp_path: Path) -> None:
    """Beside a dry run's PKI and kubeconfigs lies a copy of all of etcd's data."""
    folder = "/etc/kubernetes/tmp"
    wanted = {
        f"{folder}/kubeadm-init-dryrun1/admin.conf",
        f"{folder}/kubeadm-upgraded-manifests1/pki/etcd/server.crt",
        f"{folder}/kubeadm-upgraded-manifests1/pki/etcd/server.key",
        f"{folder}/own.pem",
    }
    others = {
        f"{folder}/kubeadm-backup-etcd-1/etcd/member/snap/db",
        f"{folder}/kubeadm-backup-etcd-1/etcd/member/wal/0-0.wal",
        f"{folder}/kubeadm-backup-manifests-1/etcd.yaml",
    }
    plant(tmp_path, {"/etc/kubernetes/kubelet.conf": "", **dict.fromkeys(wanted | others, "")})
    files = files_of(tmp_path)
    matched = {path for search in look(tmp_path).searches for path in files.match(search)}
    assert {path for path in matched if path.startswith(folder)} == wanted


def test_microk8s_runs_etcd_only_without_its_lock(tmp_path: Path) -> None:
    """``args/etcd`` lies on every node; a lock file says that it does not run."""
    folder = "/var/snap/microk8s/current"
    plant(
        tmp_path,
        {
            f"{folder}/args/etcd": (
                "# comment\n--listen-client-urls=https://0.0.0.0:12379\n--client-cert-auth\n"
                '--trusted-ca-file="${SNAP_DATA}/certs/ca.crt"\n'
            )
        },
    )
    assert [item.client_auth for item in look(tmp_path).node.listeners] == ["required", "none"]
    plant(tmp_path, {f"{folder}/var/lock/no-etcd": ""})
    found = look(tmp_path)
    assert found.node.listeners == ()
    assert "etcd" not in {reference.component for reference in found.references}


def test_the_table_is_whole() -> None:
    """Every distribution of the model but the unknown one has its row, each with its own marks."""
    assert {layout.distribution for layout in LAYOUTS} == {*Distribution} - {Distribution.UNKNOWN}
    marks = [mark for layout in LAYOUTS for mark in layout.marks]
    assert len(marks) == len(set(marks))
    for layout in LAYOUTS:
        assert layout.searches
        assert not any(
            search.startswith(("/etc/ssl/certs", "/etc/pki", "/usr/")) for search in layout.searches
        )


def test_each_path_has_one_role_whoever_names_it(tmp_path: Path) -> None:
    """A CA keeps its role over all the settings that name it."""
    for name, (tree, *_) in NODES.items():
        roles: dict[str, set[Role]] = {}
        root = tmp_path / name
        root.mkdir()
        references: tuple[Reference, ...] = look(plant(root, tree)).references
        for reference in references:
            if reference.path.endswith("ca.crt"):
                roles.setdefault(reference.path, set()).add(reference.role)
        assert all(len(found) == 1 for found in roles.values())
