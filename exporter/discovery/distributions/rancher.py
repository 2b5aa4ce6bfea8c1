"""k3s and RKE2, which is built on it: one program, its files below ``/var/lib/rancher``.

k3s ``pkg/daemons/control/deps/deps.go`` (files), ``pkg/daemons/control/server.go`` and ``pkg/daemons/agent``
(the flags it gives each component), ``pkg/etcd/etcd.go``; RKE2 ``pkg/executor/staticpod``.
"""

from typing import Final

from exporter.discovery.distributions.layout import (
    Convention,
    DefaultCommand,
    Layout,
    authority_key,
    kubeconfig,
)
from exporter.model import Distribution, Part, Role

_SERVICES = {
    Distribution.K3S: ("k3s.service", "k3s-agent.service"),
    Distribution.RKE2: ("rke2-server.service", "rke2-agent.service"),
}
_SERVER = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "cloud-controller-manager")


def _commands(server: str, agent: str) -> tuple[DefaultCommand, ...]:
    return (
        *_api_server(server),
        *_controllers(f"{server}/tls", f"{server}/cred"),
        DefaultCommand(component="etcd", arguments=f"--config-file={server}/db/etcd/config"),
        DefaultCommand(
            component="kubelet",
            arguments=f"--kubeconfig={agent}/kubelet.kubeconfig --config-dir={agent}/etc/kubelet.conf.d",
        ),
        DefaultCommand(component="kube-proxy", arguments=f"--kubeconfig={agent}/kubeproxy.kubeconfig"),
    )


def _api_server(server: str) -> tuple[DefaultCommand, DefaultCommand]:
    tls = f"{server}/tls"
    return (
        DefaultCommand(
            component="kube-apiserver",
            arguments=f"--tls-cert-file={tls}/serving-kube-apiserver.crt"
            f" --tls-private-key-file={tls}/serving-kube-apiserver.key --client-ca-file={tls}/client-ca.crt"
            f" --kubelet-certificate-authority={tls}/server-ca.crt"
            f" --kubelet-client-certificate={tls}/client-kube-apiserver.crt"
            f" --kubelet-client-key={tls}/client-kube-apiserver.key"
            f" --requestheader-client-ca-file={tls}/request-header-ca.crt"
            " --requestheader-allowed-names=system:auth-proxy"
            f" --proxy-client-cert-file={tls}/client-auth-proxy.crt"
            f" --proxy-client-key-file={tls}/client-auth-proxy.key"
            f" --service-account-key-file={tls}/service.key"
            f" --service-account-signing-key-file={tls}/service.current.key"
            f" --egress-selector-config-file={server}/etc/egress-selector-config.yaml",
        ),
        DefaultCommand(
            component="kube-apiserver",
            needs="etcd",
            arguments=f"--etcd-cafile={tls}/etcd/server-ca.crt --etcd-certfile={tls}/etcd/client.crt"
            f" --etcd-keyfile={tls}/etcd/client.key",
        ),
    )


def _controllers(tls: str, cred: str) -> tuple[DefaultCommand, ...]:
    signers = "".join(
        f" --cluster-signing-{signer}-cert-file={tls}/{ca}.nochain.crt"
        f" --cluster-signing-{signer}-key-file={tls}/{ca}.key"
        for signer, ca in (
            ("kube-apiserver-client", "client-ca"),
            ("kubelet-client", "client-ca"),
            ("kubelet-serving", "server-ca"),
            ("legacy-unknown", "server-ca"),
        )
    )
    return (
        DefaultCommand(
            component="kube-controller-manager",
            arguments=f"--kubeconfig={cred}/controller.kubeconfig --root-ca-file={tls}/server-ca.crt"
            f" --service-account-private-key-file={tls}/service.current.key{signers}"
            f" --tls-cert-file={tls}/kube-controller-manager/kube-controller-manager.crt"
            f" --tls-private-key-file={tls}/kube-controller-manager/kube-controller-manager.key",
        ),
        DefaultCommand(
            component="kube-scheduler",
            arguments=f"--kubeconfig={cred}/scheduler.kubeconfig"
            f" --tls-cert-file={tls}/kube-scheduler/kube-scheduler.crt"
            f" --tls-private-key-file={tls}/kube-scheduler/kube-scheduler.key",
        ),
        DefaultCommand(
            component="cloud-controller-manager",
            arguments=f"--kubeconfig={cred}/cloud-controller.kubeconfig",
        ),
    )


def _conventions(name: str, server: str, agent: str) -> tuple[Convention, ...]:
    tls, api = f"{server}/tls", "kube-apiserver"
    return (
        kubeconfig("kubectl", Role.ADMIN, f"/etc/rancher/{name}/{name}.yaml", needs=api),
        kubeconfig(name, Role.ADMIN, f"{server}/cred/admin.kubeconfig", needs=api),
        kubeconfig(name, Role.APISERVER_KUBELET_CLIENT, f"{server}/cred/api-server.kubeconfig", needs=api),
        kubeconfig(name, Role.SUPERVISOR_CLIENT, f"{server}/cred/supervisor.kubeconfig", needs=api),
        kubeconfig(name, Role.K3S_CONTROLLER_CLIENT, f"{agent}/{name}controller.kubeconfig", needs="kubelet"),
        Convention(
            component=name,
            part=Part.CERTIFICATE,
            role=Role.SUPERVISOR_SERVER,
            path=f"{tls}/dynamic-cert.json",
            needs=api,
        ),
        authority_key(name, Role.CLIENT_CA, f"{tls}/client-ca.key", needs=api),
        authority_key(name, Role.SERVER_CA, f"{tls}/server-ca.key", needs=api),
        authority_key(name, Role.FRONT_PROXY_CA, f"{tls}/request-header-ca.key", needs=api),
        authority_key(name, Role.ETCD_CA, f"{tls}/etcd/server-ca.key", needs="etcd"),
        authority_key(name, Role.ETCD_PEER_CA, f"{tls}/etcd/peer-ca.key", needs="etcd"),
    )


def _layout(distribution: Distribution) -> Layout:
    name = distribution.value
    server, agent = f"/var/lib/rancher/{name}/server", f"/var/lib/rancher/{name}/agent"
    tls = f"{server}/tls"
    return Layout(
        distribution=distribution,
        programs=frozenset({name}),
        marks=(tls, f"{agent}/kubelet.kubeconfig", f"{agent}/client-ca.crt"),
        hints=(f"/etc/rancher/{name}",),
        directories=(tls, f"{server}/cred", agent, f"/etc/rancher/{name}"),
        searches=(
            f"{tls}/**",
            f"{server}/cred/*.kubeconfig",
            f"{agent}/*.crt",
            f"{agent}/*.key",
            f"{agent}/*.kubeconfig",
            "/var/lib/kubelet/pki/*",
        ),
        enabled_by=(
            (tls, _SERVER),
            (f"{server}/db/etcd/config", ("etcd",)),
            (f"{agent}/kubelet.kubeconfig", ("kubelet", "kube-proxy")),
        ),
        agent_words=frozenset({"agent"}),
        manifests=f"{agent}/pod-manifests",
        commands=_commands(server, agent),
        conventions=_conventions(name, server, agent),
        roles=_roles(tls, agent),
        users=("etcd",),
        data=f"/var/lib/rancher/{name}",
        configurations=(f"/etc/rancher/{name}/config.yaml",),
        services=_SERVICES[distribution],
    )


def _roles(tls: str, agent: str) -> dict[str, Role]:
    copies = ((tls, ".crt"), (tls, ".nochain.crt"), (tls, ".key"), (agent, ".crt"))
    return {
        **{f"{folder}/client-ca{suffix}": Role.CLIENT_CA for folder, suffix in copies},
        **{f"{folder}/server-ca{suffix}": Role.SERVER_CA for folder, suffix in copies},
        f"{tls}/request-header-ca.crt": Role.FRONT_PROXY_CA,
        f"{tls}/etcd/server-ca.crt": Role.ETCD_CA,
        f"{tls}/etcd/peer-ca.crt": Role.ETCD_PEER_CA,
        **{f"{tls}/client-kube-apiserver.{kind}": Role.APISERVER_KUBELET_CLIENT for kind in ("crt", "key")},
    }


K3S: Final = _layout(Distribution.K3S)
RKE2: Final = _layout(Distribution.RKE2)
