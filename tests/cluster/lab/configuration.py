"""The configuration files that the nodes' programs read."""

import json
from pathlib import Path

from tests.cluster.lab.node import SERVICES
from tests.cluster.lab.settings import Settings

PODS = "10.244.0.0/16"
SOCKET = "unix:///run/containerd/containerd.sock"


def containerd(pause: str) -> str:
    """Configure Debian's containerd."""
    return f"""\
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  # Without CAP_SYS_RESOURCE no process may lower its oom_score_adj.
  restrict_oom_score_adj = true
  sandbox_image = "{pause}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
"""


def _registration(name: str, address: str) -> str:
    return f"""\
nodeRegistration:
  name: {name}
  criSocket: {SOCKET}
  taints: []
  kubeletExtraArgs: [{{name: node-ip, value: {address}}}]
"""


def initial(settings: Settings, address: str) -> str:
    """Tell kubeadm about the cluster; what is not said here is kubeadm's default."""
    return f"""\
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {{advertiseAddress: {address}, bindPort: 6443}}
{_registration("cp1", address)}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v{settings.version}
controlPlaneEndpoint: {address}:6443
networking: {{serviceSubnet: {SERVICES}, podSubnet: {PODS}}}
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
serverTLSBootstrap: true
rotateCertificates: true
cgroupDriver: cgroupfs
failCgroupV1: false                  # newer kubelets refuse cgroup v1 unless told
failSwapOn: false
localStorageCapacityIsolation: false # needs disk statistics of a file system of its own
enforceNodeAllocatable: []           # the machine's root cgroup is not the kubelet's to limit
fileCheckFrequency: 2s               # a changed manifest is acted upon at once
"""


def joining(name: str, address: str, endpoint: str, token: str, authority: str) -> str:
    """Tell kubeadm how a node joins."""
    plane = f"controlPlane:\n  localAPIEndpoint: {{advertiseAddress: {address}, bindPort: 6443}}\n"
    return f"""\
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken:
    apiServerEndpoint: {endpoint}
    token: {token}
    caCertHashes: ["sha256:{authority}"]
{_registration(name, address)}{plane if name.startswith("cp") else ""}"""


def pod_network(pods: str) -> str:
    """Configure the container network interface: a bridge on the node's own range."""
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {"type": "host-local", "ranges": [[{"subnet": pods}]], "routes": [{"dst": "0.0.0.0/0"}]},
    }
    mapping = {"type": "portmap", "capabilities": {"portMappings": True}}
    return json.dumps({"cniVersion": "0.4.0", "name": "lab", "plugins": [bridge, mapping]})


def proxy(name: str, access: Path) -> str:
    """Configure kube-proxy; the machine's own limits on connections stay."""
    return f"""\
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
hostnameOverride: {name}
clusterCIDR: {PODS}
clientConnection: {{kubeconfig: {access}}}
conntrack: {{maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}}
"""
