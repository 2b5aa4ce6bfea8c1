"""k0s and MicroK8s: distributions in one package.

k0s ``cmd/controller/certificates.go`` and ``pkg/component/controller``; MicroK8s
``microk8s-resources/default-args`` and ``actions/common/utils.sh``.
"""

from typing import Final

from exporter.discovery.distributions.layout import (
    DefaultCommand,
    Layout,
    authority_key,
    kubeconfig,
    pair,
)
from exporter.model import Distribution, Role

_CONTROLLERS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
_K0S = "/var/lib/k0s/pki"
_SNAP = "/var/snap/microk8s/current"

K0S: Final = Layout(
    distribution=Distribution.K0S,
    programs=frozenset({"k0s"}),
    marks=("/var/lib/k0s",),
    hints=("/etc/systemd/system/k0scontroller.service", "/etc/systemd/system/k0sworker.service"),
    data="/var/lib/k0s",
    services=("k0scontroller.service", "k0sworker.service"),
    directories=(_K0S, "/var/lib/k0s/konnectivity.conf", "/var/lib/k0s/kubelet/pki", "/run/k0s/kubelet"),
    searches=(f"{_K0S}/**", "/var/lib/k0s/kubelet/pki/*", "/var/lib/k0s/kubelet.conf"),
    enabled_by=(
        (_K0S, (*_CONTROLLERS, "konnectivity-server")),
        (f"{_K0S}/etcd", ("etcd",)),
        ("/var/lib/k0s/kubelet.conf", ("kubelet",)),
    ),
    agent_words=frozenset({"worker"}),
    commands=(
        DefaultCommand(
            component="kube-apiserver",
            arguments=f"--tls-cert-file={_K0S}/server.crt --tls-private-key-file={_K0S}/server.key"
            f" --client-ca-file={_K0S}/ca.crt --requestheader-client-ca-file={_K0S}/front-proxy-ca.crt"
            " --requestheader-allowed-names=front-proxy-client"
            f" --kubelet-client-certificate={_K0S}/apiserver-kubelet-client.crt"
            f" --kubelet-client-key={_K0S}/apiserver-kubelet-client.key"
            f" --proxy-client-cert-file={_K0S}/front-proxy-client.crt"
            f" --proxy-client-key-file={_K0S}/front-proxy-client.key"
            f" --service-account-key-file={_K0S}/sa.pub --service-account-signing-key-file={_K0S}/sa.key",
        ),
        DefaultCommand(
            component="kube-apiserver",
            needs="etcd",
            arguments=f"--etcd-cafile={_K0S}/etcd/ca.crt --etcd-certfile={_K0S}/apiserver-etcd-client.crt"
            f" --etcd-keyfile={_K0S}/apiserver-etcd-client.key",
        ),
        DefaultCommand(
            component="kube-controller-manager",
            arguments=f"--kubeconfig={_K0S}/ccm.conf --authentication-kubeconfig={_K0S}/ccm.conf"
            f" --authorization-kubeconfig={_K0S}/ccm.conf --client-ca-file={_K0S}/ca.crt"
            f" --root-ca-file={_K0S}/ca.crt --requestheader-client-ca-file={_K0S}/front-proxy-ca.crt"
            f" --cluster-signing-cert-file={_K0S}/ca.crt --cluster-signing-key-file={_K0S}/ca.key"
            f" --service-account-private-key-file={_K0S}/sa.key",
        ),
        DefaultCommand(
            component="kube-scheduler",
            arguments=f"--kubeconfig={_K0S}/scheduler.conf --authentication-kubeconfig={_K0S}/scheduler.conf"
            f" --authorization-kubeconfig={_K0S}/scheduler.conf",
        ),
        DefaultCommand(
            component="konnectivity-server",
            arguments=f"--kubeconfig={_K0S}/konnectivity.conf --cluster-cert={_K0S}/server.crt"
            f" --cluster-key={_K0S}/server.key",
        ),
        DefaultCommand(
            component="etcd",
            arguments="--listen-client-urls=https://127.0.0.1:2379"
            " --advertise-client-urls=https://127.0.0.1:2379 --client-cert-auth=true"
            f" --peer-client-cert-auth=true --trusted-ca-file={_K0S}/etcd/ca.crt"
            f" --cert-file={_K0S}/etcd/server.crt --key-file={_K0S}/etcd/server.key"
            f" --peer-trusted-ca-file={_K0S}/etcd/ca.crt --peer-cert-file={_K0S}/etcd/peer.crt"
            f" --peer-key-file={_K0S}/etcd/peer.key",
        ),
        DefaultCommand(
            component="kubelet",
            arguments="--kubeconfig=/var/lib/k0s/kubelet.conf --cert-dir=/var/lib/k0s/kubelet/pki"
            " --client-ca-file=/run/k0s/kubelet/ca.crt --rotate-certificates=true"
            " --rotate-server-certificates=true",
        ),
    ),
    conventions=(
        kubeconfig("kubectl", Role.ADMIN, f"{_K0S}/admin.conf", needs="kube-apiserver"),
        *pair(
            "k0s",
            Role.SUPERVISOR_SERVER,
            f"{_K0S}/k0s-api.crt",
            f"{_K0S}/k0s-api.key",
            needs="kube-apiserver",
        ),
        authority_key("k0s", Role.FRONT_PROXY_CA, f"{_K0S}/front-proxy-ca.key", needs="kube-apiserver"),
        authority_key("k0s", Role.ETCD_CA, f"{_K0S}/etcd/ca.key", needs="etcd"),
        authority_key("etcd", Role.OTHER, f"{_K0S}/etcd/jwt.key", needs="etcd"),
        authority_key("etcd", Role.OTHER, f"{_K0S}/etcd/jwt.pub", needs="etcd"),
    ),
    roles={
        f"{_K0S}/ca.crt": Role.CA,
        f"{_K0S}/etcd/ca.crt": Role.ETCD_CA,
        f"{_K0S}/front-proxy-ca.crt": Role.FRONT_PROXY_CA,
        f"{_K0S}/server.crt": Role.APISERVER,
        f"{_K0S}/server.key": Role.APISERVER,
    },
    users=(
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "konnectivity-server",
        "etcd",
        "kine",
    ),
)

MICROK8S: Final = Layout(
    distribution=Distribution.MICROK8S,
    programs=frozenset({"kubelite"}),
    marks=(f"{_SNAP}/args",),
    directories=(
        f"{_SNAP}/args",
        f"{_SNAP}/certs",
        f"{_SNAP}/credentials",
        f"{_SNAP}/var/kubernetes/backend",
    ),
    searches=(
        f"{_SNAP}/certs/*.crt",
        f"{_SNAP}/certs/*.key",
        f"{_SNAP}/certs/*.pem",
        f"{_SNAP}/credentials/*",
        f"{_SNAP}/var/kubernetes/backend/*.crt",
        f"{_SNAP}/var/kubernetes/backend/*.key",
    ),
    enabled_by=((f"{_SNAP}/var/kubernetes/backend", ("k8s-dqlite",)),),
    disabled_by=(
        (f"{_SNAP}/var/lock/no-etcd", ("etcd",)),
        (f"{_SNAP}/var/lock/clustered.lock", (*_CONTROLLERS, "etcd", "k8s-dqlite", "cluster-agent")),
    ),
    argument_files={
        component: f"{_SNAP}/args/{component}"
        for component in (*_CONTROLLERS, "kubelet", "kube-proxy", "etcd", "cluster-agent")
    },
    variables={
        "SNAP_DATA": _SNAP,
        "SNAP": "/snap/microk8s/current",
        "SNAP_COMMON": "/var/snap/microk8s/common",
    },
    conventions=(
        kubeconfig("kubectl", Role.ADMIN, f"{_SNAP}/credentials/client.config", needs="kube-apiserver"),
        *pair(
            "k8s-dqlite",
            Role.DATASTORE_SERVER,
            f"{_SNAP}/var/kubernetes/backend/cluster.crt",
            f"{_SNAP}/var/kubernetes/backend/cluster.key",
            needs="k8s-dqlite",
        ),
        authority_key(
            "microk8s", Role.FRONT_PROXY_CA, f"{_SNAP}/certs/front-proxy-ca.key", needs="kube-apiserver"
        ),
    ),
    roles={
        f"{_SNAP}/certs/ca.crt": Role.CA,
        f"{_SNAP}/certs/front-proxy-ca.crt": Role.FRONT_PROXY_CA,
        f"{_SNAP}/certs/server.crt": Role.APISERVER,
        f"{_SNAP}/certs/server.key": Role.APISERVER,
        f"{_SNAP}/certs/kubelet.crt": Role.KUBELET_SERVER,
        f"{_SNAP}/certs/kubelet.key": Role.KUBELET_SERVER,
    },
)
