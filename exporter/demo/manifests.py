"""Static Pod manifests and kubelet configuration as kubeadm 1.36 writes them, cut to what decides the PKI."""

from collections.abc import Mapping, Sequence

PKI = "/etc/kubernetes/pki"

KUBELET_CONFIG = f"""\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  anonymous:
    enabled: false
  x509:
    clientCAFile: {PKI}/ca.crt
rotateCertificates: true
serverTLSBootstrap: true
staticPodPath: /etc/kubernetes/manifests
"""


def manifests(name: str, address: str) -> Mapping[str, str]:
    """The four manifests of a control plane with stacked etcd, by file name."""
    return {
        "etcd.yaml": _pod("etcd", _etcd_flags(name, address), [f"{PKI}/etcd", "/var/lib/etcd"]),
        "kube-apiserver.yaml": _pod("kube-apiserver", _apiserver_flags(address), [PKI]),
        "kube-controller-manager.yaml": _pod(
            "kube-controller-manager",
            _controller_manager_flags(),
            [PKI, "/etc/kubernetes/controller-manager.conf"],
        ),
        "kube-scheduler.yaml": _pod("kube-scheduler", _scheduler_flags(), ["/etc/kubernetes/scheduler.conf"]),
    }


def _pod(component: str, flags: Sequence[str], mounts: Sequence[str]) -> str:
    command = "\n".join(f"    - {flag}" for flag in (component, *flags))
    volume_mounts = "\n".join(f"    - mountPath: {path}\n      name: v{i}" for i, path in enumerate(mounts))
    volumes = "\n".join(f"  - hostPath:\n      path: {path}\n    name: v{i}" for i, path in enumerate(mounts))
    return f"""\
apiVersion: v1
kind: Pod
metadata:
  labels:
    component: {component}
    tier: control-plane
  name: {component}
  namespace: kube-system
spec:
  containers:
  - command:
{command}
    name: {component}
    volumeMounts:
{volume_mounts}
  hostNetwork: true
  volumes:
{volumes}
"""


def _etcd_flags(name: str, address: str) -> list[str]:
    return [
        f"--advertise-client-urls=https://{address}:2379",
        f"--cert-file={PKI}/etcd/server.crt",
        "--client-cert-auth=true",
        f"--initial-advertise-peer-urls=https://{address}:2380",
        f"--initial-cluster={name}=https://{address}:2380",
        f"--key-file={PKI}/etcd/server.key",
        f"--listen-client-urls=https://127.0.0.1:2379,https://{address}:2379",
        "--listen-metrics-urls=http://127.0.0.1:2381",
        f"--listen-peer-urls=https://{address}:2380",
        f"--name={name}",
        f"--peer-cert-file={PKI}/etcd/peer.crt",
        "--peer-client-cert-auth=true",
        f"--peer-key-file={PKI}/etcd/peer.key",
        f"--peer-trusted-ca-file={PKI}/etcd/ca.crt",
        f"--trusted-ca-file={PKI}/etcd/ca.crt",
    ]


def _apiserver_flags(address: str) -> list[str]:
    return [
        f"--advertise-address={address}",
        f"--client-ca-file={PKI}/ca.crt",
        f"--etcd-cafile={PKI}/etcd/ca.crt",
        f"--etcd-certfile={PKI}/apiserver-etcd-client.crt",
        f"--etcd-keyfile={PKI}/apiserver-etcd-client.key",
        "--etcd-servers=https://127.0.0.1:2379",
        f"--kubelet-client-certificate={PKI}/apiserver-kubelet-client.crt",
        f"--kubelet-client-key={PKI}/apiserver-kubelet-client.key",
        f"--proxy-client-cert-file={PKI}/front-proxy-client.crt",
        f"--proxy-client-key-file={PKI}/front-proxy-client.key",
        "--requestheader-allowed-names=front-proxy-client",
        f"--requestheader-client-ca-file={PKI}/front-proxy-ca.crt",
        "--secure-port=6443",
        f"--service-account-key-file={PKI}/sa.pub",
        f"--service-account-signing-key-file={PKI}/sa.key",
        "--service-cluster-ip-range=10.96.0.0/12",
        f"--tls-cert-file={PKI}/apiserver.crt",
        f"--tls-private-key-file={PKI}/apiserver.key",
    ]


def _controller_manager_flags() -> list[str]:
    kubeconfig = "/etc/kubernetes/controller-manager.conf"
    return [
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--client-ca-file={PKI}/ca.crt",
        f"--cluster-signing-cert-file={PKI}/ca.crt",
        f"--cluster-signing-key-file={PKI}/ca.key",
        f"--kubeconfig={kubeconfig}",
        f"--requestheader-client-ca-file={PKI}/front-proxy-ca.crt",
        f"--root-ca-file={PKI}/ca.crt",
        f"--service-account-private-key-file={PKI}/sa.key",
    ]


def _scheduler_flags() -> list[str]:
    kubeconfig = "/etc/kubernetes/scheduler.conf"
    return [
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--kubeconfig={kubeconfig}",
    ]
