"""kOps, OpenShift and Talos: nodes that an operator or the operating system itself sets up.

kOps ``nodeup/pkg/model``, ``pkg/wellknownusers``; OpenShift ``cluster-kube-apiserver-operator`` and
``cluster-etcd-operator`` (``bindata``), ``machine-config-operator`` (``templates``); Talos
``internal/app/machined/pkg/controllers``.
"""

from typing import Final

from exporter.discovery.distributions.layout import (
    Convention,
    DefaultCommand,
    Layout,
    authority_key,
    pair,
)
from exporter.model import Distribution, Part, Role

_CONTROLLERS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
_ETCD_MANAGER = "/etc/kubernetes/pki/etcd-manager-"
_TALOS = "/system/secrets/kubernetes"

KOPS: Final = Layout(
    distribution=Distribution.KOPS,
    marks=(
        "/etc/kubernetes/kops-controller",
        "/opt/kops",
        "/srv/kubernetes/ca.crt",
        "/etc/srv/kubernetes/kops",
    ),
    directories=("/srv/kubernetes", "/etc/kubernetes", "/var/lib/kubelet/pki"),
    searches=(
        "/srv/kubernetes/**",
        "/etc/kubernetes/pki/**",
        "/etc/kubernetes/kops-controller/*",
        "/var/lib/kubelet/pki/*",
    ),
    enabled=("kubelet",),
    unit="kubelet.service",
    manifests="/etc/kubernetes/manifests",
    commands=(
        DefaultCommand(
            component="kubelet",
            arguments="--kubeconfig=/var/lib/kubelet/kubeconfig --config=/var/lib/kubelet/kubelet.conf"
            " --tls-cert-file=/srv/kubernetes/kubelet-server.crt"
            " --tls-private-key-file=/srv/kubernetes/kubelet-server.key"
            " --client-ca-file=/srv/kubernetes/ca.crt",
        ),
    ),
    conventions=(
        *pair(
            "kops-controller",
            Role.OTHER,
            "/etc/kubernetes/kops-controller/kops-controller.crt",
            "/etc/kubernetes/kops-controller/kops-controller.key",
            needs="kube-apiserver",
        ),
        *pair(
            "cilium",
            Role.OTHER,
            "/etc/kubernetes/pki/cilium/etcd-client-cilium.crt",
            "/etc/kubernetes/pki/cilium/etcd-client-cilium.key",
            needs="kubelet",
            where="/etc/kubernetes/pki/cilium",
        ),
        Convention(
            component="cilium",
            part=Part.TRUST,
            role=Role.ETCD_CA,
            path="/etc/kubernetes/pki/cilium/etcd-ca.crt",
            needs="kubelet",
            where="/etc/kubernetes/pki/cilium",
        ),
        *(
            convention
            for cluster in ("main", "events", "leases", "cilium")
            for name, role in (
                ("etcd-manager-ca", Role.OTHER),
                ("etcd-peers-ca", Role.ETCD_PEER_CA),
                ("etcd-clients-ca", Role.ETCD_CA),
            )
            for convention in (
                Convention(
                    component="etcd-manager",
                    part=Part.TRUST,
                    role=role,
                    path=f"{_ETCD_MANAGER}{cluster}/{name}.crt",
                    needs="kube-apiserver",
                ),
                authority_key(
                    "etcd-manager", role, f"{_ETCD_MANAGER}{cluster}/{name}.key", needs="kube-apiserver"
                ),
            )
        ),
    ),
    roles={"/srv/kubernetes/ca.crt": Role.CA},
    users=("10000", "10011"),
)

OPENSHIFT: Final = Layout(
    distribution=Distribution.OPENSHIFT,
    marks=("/etc/kubernetes/static-pod-resources", "/etc/kubernetes/kubelet-ca.crt", "/etc/openshift"),
    directories=("/etc/kubernetes", "/var/lib/kubelet/pki"),
    searches=(
        "/etc/kubernetes/static-pod-resources/kube-apiserver-certs/**",
        "/etc/kubernetes/static-pod-resources/etcd-certs/**",
        "/etc/kubernetes/static-pod-resources/kube-controller-manager-certs/**",
        "/etc/kubernetes/static-pod-resources/kube-scheduler-certs/**",
        "/etc/kubernetes/*.crt",
        "/var/lib/kubelet/pki/*",
    ),
    enabled=("kubelet",),
    unit="kubelet.service",
    manifests="/etc/kubernetes/manifests",
    commands=(
        DefaultCommand(
            component="kubelet",
            arguments="--config=/etc/kubernetes/kubelet.conf --config-dir=/etc/openshift/kubelet.conf.d"
            " --kubeconfig=/var/lib/kubelet/kubeconfig --bootstrap-kubeconfig=/etc/kubernetes/kubeconfig",
        ),
    ),
    roles={"/etc/kubernetes/kubelet-ca.crt": Role.CLIENT_CA},
)

TALOS: Final = Layout(
    distribution=Distribution.TALOS,
    marks=("/system/secrets", "/etc/kubernetes/kubeconfig-kubelet"),
    directories=("/system/secrets", "/system/config/kubernetes", "/etc/kubernetes", "/var/lib/kubelet/pki"),
    searches=("/system/secrets/**", "/etc/kubernetes/pki/*", "/var/lib/kubelet/pki/*"),
    enabled=("kubelet",),
    enabled_by=(
        *((f"{_TALOS}/{component}", (component,)) for component in _CONTROLLERS),
        ("/system/secrets/etcd", ("etcd",)),
    ),
    commands=(
        DefaultCommand(
            component="kube-apiserver",
            arguments=f"--tls-cert-file={_TALOS}/kube-apiserver/apiserver.crt"
            f" --tls-private-key-file={_TALOS}/kube-apiserver/apiserver.key"
            f" --client-ca-file={_TALOS}/kube-apiserver/ca.crt"
            f" --requestheader-client-ca-file={_TALOS}/kube-apiserver/aggregator-ca.crt"
            " --requestheader-allowed-names=front-proxy-client"
            f" --kubelet-client-certificate={_TALOS}/kube-apiserver/apiserver-kubelet-client.crt"
            f" --kubelet-client-key={_TALOS}/kube-apiserver/apiserver-kubelet-client.key"
            f" --proxy-client-cert-file={_TALOS}/kube-apiserver/front-proxy-client.crt"
            f" --proxy-client-key-file={_TALOS}/kube-apiserver/front-proxy-client.key"
            f" --etcd-cafile={_TALOS}/kube-apiserver/etcd-client-ca.crt"
            f" --etcd-certfile={_TALOS}/kube-apiserver/etcd-client.crt"
            f" --etcd-keyfile={_TALOS}/kube-apiserver/etcd-client.key"
            f" --service-account-key-file={_TALOS}/kube-apiserver/service-account.pub"
            f" --service-account-signing-key-file={_TALOS}/kube-apiserver/service-account.key",
        ),
        DefaultCommand(
            component="kube-controller-manager",
            arguments=f"--kubeconfig={_TALOS}/kube-controller-manager/kubeconfig"
            f" --authentication-kubeconfig={_TALOS}/kube-controller-manager/kubeconfig"
            f" --authorization-kubeconfig={_TALOS}/kube-controller-manager/kubeconfig"
            f" --root-ca-file={_TALOS}/kube-controller-manager/ca.crt"
            f" --cluster-signing-cert-file={_TALOS}/kube-controller-manager/ca.crt"
            f" --cluster-signing-key-file={_TALOS}/kube-controller-manager/ca.key"
            f" --service-account-private-key-file={_TALOS}/kube-controller-manager/service-account.key",
        ),
        DefaultCommand(
            component="kube-scheduler",
            arguments=f"--kubeconfig={_TALOS}/kube-scheduler/kubeconfig"
            f" --authentication-kubeconfig={_TALOS}/kube-scheduler/kubeconfig"
            f" --authorization-kubeconfig={_TALOS}/kube-scheduler/kubeconfig",
        ),
        DefaultCommand(
            component="etcd",
            arguments="--client-cert-auth=true --peer-client-cert-auth=true"
            " --trusted-ca-file=/system/secrets/etcd/ca.crt --cert-file=/system/secrets/etcd/server.crt"
            " --key-file=/system/secrets/etcd/server.key --peer-trusted-ca-file=/system/secrets/etcd/ca.crt"
            " --peer-cert-file=/system/secrets/etcd/peer.crt --peer-key-file=/system/secrets/etcd/peer.key",
        ),
        DefaultCommand(
            component="kubelet",
            arguments="--kubeconfig=/etc/kubernetes/kubeconfig-kubelet"
            " --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubeconfig"
            " --config=/etc/kubernetes/kubelet.yaml --cert-dir=/var/lib/kubelet/pki"
            " --client-ca-file=/etc/kubernetes/pki/ca.crt --rotate-certificates=true",
        ),
    ),
    conventions=(
        *pair(
            "talos",
            Role.OTHER,
            "/system/secrets/etcd/admin.crt",
            "/system/secrets/etcd/admin.key",
            needs="etcd",
        ),
    ),
    roles={"/system/secrets/etcd/ca.crt": Role.ETCD_CA},
    users=("60", "65534", "65535", "65536"),
)
