"""What repairs each defect on each distribution, as rows; the runbooks explain them.

Placeholders: ``{path}`` and ``{stem}`` (without extension) are quoted for a shell, ``{entry}`` is the name
inside a kubeconfig, or etcd's setting or address, ``{name}`` is kubeadm's name of the certificate,
``{service}`` the distribution's unit.
"""

from collections.abc import Mapping
from typing import Final

from exporter.checks.files import BESIDE_AUTHORITY, WRITABLE
from exporter.checks.rotation import NAMED
from exporter.model import Distribution, Role

Lines = tuple[str, ...]
Table = Mapping[Distribution | None, Lines]
"""None stands for every other distribution."""

KUBEADM: Final = (Distribution.KUBEADM, Distribution.KIND)
RANCHER: Final = (Distribution.K3S, Distribution.RKE2)

_ISSUE_ANEW: Final[Table] = {
    **dict.fromkeys(
        KUBEADM,
        (
            "mkdir -p /root/pki-old && mv {stem}.crt {stem}.key /root/pki-old/",
            "kubeadm init phase certs {name} --config KUBEADM-CONFIG  # renewal would keep what is wrong",
        ),
    ),
    Distribution.MINIKUBE: ("minikube delete && minikube start  # issues everything anew",),
    **dict.fromkeys(
        RANCHER,
        ("systemctl stop {service} && {distribution} certificate rotate && systemctl start {service}",),
    ),
    Distribution.K0S: ("systemctl restart {service}  # issues its leaves anew at every start",),
    Distribution.MICROK8S: (
        "microk8s refresh-certs --cert server.crt  # or front-proxy-client.crt; ca.crt renews everything",
    ),
    None: ("issue {path} anew with what its role needs, then restart what uses it",),
}
_RENEW: Final[Table] = {
    **_ISSUE_ANEW,
    **dict.fromkeys(KUBEADM, ("kubeadm certs renew {name}", "{restart}")),
    Distribution.MINIKUBE: ("minikube stop && minikube start  # renews what has expired",),
}
_RESTART_KUBELET = "systemctl restart {kubelet}"
_MAKE_KUBECONFIG = "kubeadm kubeconfig user --config KUBEADM-CONFIG"

REPAIRS: Final[Mapping[str, Table]] = {
    "issuer_missing": _RENEW,
    "issued_by_wrong_ca": _RENEW,
    "outlives_issuer": {None: ("renew or rotate the CA before that day; the certificate itself is well",)},
    "usage_unfit": _ISSUE_ANEW,
    "ca_flag_unfit": _ISSUE_ANEW,
    "name_uncovered": _ISSUE_ANEW,
    "subject_unfit": _ISSUE_ANEW,
    "key_weak": _RENEW,
    "signature_weak": _RENEW,
    "key_mismatched": _ISSUE_ANEW,
    "key_missing": _ISSUE_ANEW,
    "node_name_mismatched": {
        **dict.fromkeys(
            KUBEADM,
            (
                _MAKE_KUBECONFIG + " --org system:nodes --client-name system:node:NAME  # elsewhere",
                "rm {path}  # and put that output in place as /etc/kubernetes/kubelet.conf",
                _RESTART_KUBELET,
            ),
        ),
        None: ("remove {path} and let the node join again under its own name",),
    },
    "mode_loose": {
        Distribution.K0S: ("chmod 640 {path}",),
        Distribution.MICROK8S: ("chmod 660 {path}",),
        None: ("chmod 600 {path}", "whoever could read it may have: of a CA's key, rotate the CA"),
    },
    "owner_unexpected": {
        Distribution.MICROK8S: ("chown root:microk8s {path}",),
        Distribution.K0S: ("systemctl restart {service}  # gives its files back to the component users",),
        None: ("chown root:root {path}",),
    },
    "directory_writable": {None: ("chown root {path} && chmod go-w {path}",)},
    "private_key_copied": {None: ("shred -u {path}",)},
    "bootstrap_kubeconfig_left": {
        None: ("rm {path}", "kubeadm token list  # then: kubeadm token delete the one in that file"),
    },
    "kubelet_rotation_disabled": {
        None: ("set rotateCertificates: true in the kubelet's configuration", _RESTART_KUBELET),
    },
    "kubelet_link_replaced": {
        None: (
            'ln -sfn "$(ls {directory}/kubelet-client-2*.pem | tail -1)" {path}  # or kubelet-server-2*',
            _RESTART_KUBELET,
        ),
    },
    "kubelet_newer_pair_unused": {None: (_RESTART_KUBELET + "  # completes the switch it began",)},
    "kubelet_kubeconfig_embedded": {
        None: (
            "name kubelet-client-current.pem as client-certificate and client-key in {path}, without data",
            _RESTART_KUBELET,
        ),
    },
    "kubeconfig_ca_stale": {
        None: (
            "kubectl config set-cluster {entry} --kubeconfig {path} --certificate-authority CA --embed-certs",
            "then restart the component that reads it",
        ),
    },
    "kubeconfig_insecure": {
        None: (
            "kubectl config unset clusters.{entry}.insecure-skip-tls-verify --kubeconfig {path}",
            "kubectl config set-cluster {entry} --kubeconfig {path} --certificate-authority CA --embed-certs",
        ),
    },
    "signer_bundle_ambiguous": {
        None: (
            "put the CA that signs alone into a file of its own",
            "name that file in --cluster-signing-cert-file of kube-controller-manager",
        ),
    },
    "group_masters_held": {
        **dict.fromkeys(
            KUBEADM,
            (
                "shred -u {path}",
                _MAKE_KUBECONFIG + " --client-name NAME --org GROUP  # a group that RBAC can take away",
            ),
        ),
        None: ("shred -u {path}  # only a new CA takes its rights away before it expires",),
    },
    "group_as_user": {None: ("issue {path} anew with the group as O, or without it",)},
    "etcd_client_auth_missing": {
        None: ("set client-cert-auth and trusted-ca-file for etcd; it restarts with its manifest",),
    },
    "etcd_peer_auth_missing": {
        None: ("set peer-client-cert-auth and peer-trusted-ca-file for etcd, one member after another",),
    },
    "etcd_plaintext_listener": {None: ("give etcd https in place of {entry}",)},
    "etcd_trusts_cluster_ca": {
        None: ("give etcd a CA of its own and issue its servers and clients from it; see the runbook",),
    },
    "etcd_auto_tls": {None: ("issue etcd's pairs from its CA and switch --{entry} off",)},
}
"""Check to what repairs it."""

BY_DETAIL: Final[Mapping[str, Lines]] = {
    WRITABLE: (
        "chmod go-w {path}",
        "openssl x509 -noout -subject -in {path}  # is it still what belongs there?",
    ),
    NAMED: (
        "put the CA that signs the API server's certificate into {path}",
        "systemctl restart {service}  # and what else reads it",
    ),
    BESIDE_AUTHORITY: ("move the key out of {path} into a file of its own that root alone can read",),
}
"""How a finding's detail ends to what repairs it in place of the check's row."""

RESTARTS: Final[Mapping[Role, str]] = {
    Role.CONTROLLER_MANAGER: "kube-controller-manager",
    Role.SCHEDULER: "kube-scheduler",
}
"""What reads its certificate only at its start (KUBERNETES_PKI 1.0); the others notice by themselves."""

KUBELET_ROLES: Final = frozenset({Role.KUBELET_CLIENT, Role.KUBELET_SERVER})
KUBELET_EXPIRY: Final[Table] = {
    **dict.fromkeys(RANCHER, ("systemctl restart {service}  # agents get new certificates at every start",)),
    Distribution.MICROK8S: ("microk8s refresh-certs --cert ca.crt  # renews everything; nodes join again",),
    None: (
        "kubectl get csr  # approve what is Pending; then: " + _RESTART_KUBELET,
        "if it has expired, the kubelet cannot ask any more: see the runbook",
    ),
}
SELF_MADE_EXPIRY: Final[Table] = {
    None: (
        "mv {stem}.crt {stem}.key /root/ && " + _RESTART_KUBELET + "  # it makes a new pair",
        "where the API server verifies kubelets: set serverTLSBootstrap: true, restart, approve the CSR",
    )
}
CLOCK: Final[Lines] = (
    "timedatectl  # is this node's clock right, and that of the machine that issued it?",
    "if they are, issue it anew; until its time comes everybody refuses it",
)
"""For what is not valid yet."""

AUTHORITY_EXPIRY: Final[Lines] = ("plan the CA's rotation: see the runbook before anything is renewed",)
EXPIRY: Final = _RENEW
OF_CERTIFICATES: Final = (_RENEW, _ISSUE_ANEW)
"""Rows that differ for what kubeadm does not issue."""
