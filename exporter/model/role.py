"""What a certificate is for, and whether anything uses it."""

from enum import StrEnum


class Role(StrEnum):
    """A certificate's part in the cluster, in kubeadm's words where it has one (``certlist.go``)."""

    CA = "ca"
    ETCD_CA = "etcd-ca"
    FRONT_PROXY_CA = "front-proxy-ca"
    APISERVER = "apiserver"
    APISERVER_KUBELET_CLIENT = "apiserver-kubelet-client"
    APISERVER_ETCD_CLIENT = "apiserver-etcd-client"
    FRONT_PROXY_CLIENT = "front-proxy-client"
    ETCD_SERVER = "etcd-server"
    ETCD_PEER = "etcd-peer"
    ETCD_HEALTHCHECK_CLIENT = "etcd-healthcheck-client"
    ADMIN = "admin.conf"
    SUPER_ADMIN = "super-admin.conf"
    CONTROLLER_MANAGER = "controller-manager.conf"
    SCHEDULER = "scheduler.conf"

    KUBELET_CLIENT = "kubelet-client"
    KUBELET_SERVER = "kubelet-server"
    KUBELET_SERVER_SELF_SIGNED = "kubelet-server-self-signed"
    CLIENT_CA = "client-ca"
    SERVER_CA = "server-ca"
    ETCD_PEER_CA = "etcd-peer-ca"
    CONTROLLER_MANAGER_SERVER = "controller-manager-server"
    SCHEDULER_SERVER = "scheduler-server"
    KUBE_PROXY_CLIENT = "kube-proxy-client"
    SUPERVISOR_SERVER = "supervisor-server"
    SUPERVISOR_CLIENT = "supervisor-client"
    KONNECTIVITY_CLIENT = "konnectivity-client"
    CLOUD_CONTROLLER_CLIENT = "cloud-controller-client"
    K3S_CONTROLLER_CLIENT = "k3s-controller-client"
    DATASTORE_SERVER = "datastore-server"
    KUBECONFIG_USER = "kubeconfig-user"
    OTHER = "other"


class State(StrEnum):
    """Whether anything names a certificate's path; only ``in_use`` may alert."""

    IN_USE = "in_use"
    SUPERSEDED = "superseded"
    UNREFERENCED = "unreferenced"
