"""The whole cluster: control planes and workers, made by kubeadm."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from tests.cluster.lab import configuration, machine
from tests.cluster.lab.build import STATIC_PODS, image_reference
from tests.cluster.lab.node import OWN, Node, finished, reap
from tests.cluster.lab.settings import Settings
from tests.cluster.lab.waiting import PASSING, wait_for

Object = dict[str, Any]
SHARED_PKI = (
    *(f"{name}.{end}" for name in ("ca", "front-proxy-ca", "etcd/ca") for end in ("crt", "key")),
    "sa.key",
    "sa.pub",
)
"""What a further control plane gets from the first before it joins."""


class Cluster:
    """Control planes, workers and the machine that watches them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.nodes = {name: Node(settings, name, settings.address(name)) for name in settings.names}
        self.monitor = Node(settings, "mon", f"{settings.network}.5")

    @property
    def first(self) -> Node:
        """The control plane on which kubeadm began."""
        return self.nodes["cp1"]

    @property
    def machines(self) -> tuple[Node, ...]:
        """The nodes and the monitoring machine."""
        return (*self.nodes.values(), self.monitor)

    # ---- up

    def up(self) -> None:
        """Raise the cluster and wait until every node is Ready."""
        if reason := machine.unfit():
            message = f"no cluster can run here: {reason}"
            raise RuntimeError(message)
        self.settings.home.mkdir(parents=True, exist_ok=True)
        (self.settings.home / "settings.json").write_text(json.dumps(self._kept()))
        before = self.settings.home / "before.json"
        if not before.exists():
            found = {"sysctls": dict(machine.read_sysctls()), "missing": machine.missing_folders(OWN)}
            before.write_text(json.dumps(found))
        self._each(self.machines, lambda node: node.start(self._hosts()))
        self._each(self.nodes.values(), self._start_runtime)
        self._initialize()
        for node in self.nodes.values():
            if node is not self.first:
                self._join(node)
        self._start_pod_network()
        for node in self.nodes.values():
            self._start_proxy(node)
        self.await_ready()

    def _kept(self) -> Mapping[str, object]:
        chosen = ("version", "prefix", "network", "control_planes", "workers")
        return {name: getattr(self.settings, name) for name in chosen}

    def _each(self, nodes: Iterable[Node], work: Callable[[Node], None]) -> None:
        with ThreadPoolExecutor(4) as pool:
            tuple(pool.map(work, nodes))

    def _hosts(self) -> str:
        lines = (f"{node.address} {node.name}\n" for node in self.machines)
        return f"127.0.0.1 localhost\n{''.join(lines)}"

    def _start_runtime(self, node: Node) -> None:
        pause = image_reference(self.settings, "pause")
        (node.folder / "containerd.toml").write_text(configuration.containerd(pause))
        self.start_containerd(node)
        planes = STATIC_PODS if node.name.startswith("cp") else ()
        for name in ("pause", *planes):
            self.load(node, self.settings.images / f"{name}.tar")

    def start_containerd(self, node: Node) -> None:
        """Start the container runtime and wait until it answers."""
        node.daemon("containerd", "containerd", "-c", str(node.folder / "containerd.toml"))
        wait_for(f"containerd on {node.name}", lambda: node.run("ctr", "version"), seconds=60)

    def load(self, node: Node, archive: Path) -> None:
        """Import an image into a node."""
        node.run("ctr", "-n", "k8s.io", "images", "import", str(archive), seconds=300)

    def _initialize(self) -> None:
        first = self.first
        written = configuration.initial(self.settings, first.address)
        (first.folder / "kubeadm.yaml").write_text(written)
        skipped = "--skip-phases=preflight,addon"
        self._kubeadm(first, "init", "--config", str(first.folder / "kubeadm.yaml"), skipped)
        first.stop("kubelet")  # kubeadm restarts it where it can, for the new kubelet.conf
        self.start_kubelet(first)
        self.await_api_server()

    def _join(self, node: Node) -> None:
        first = self.first
        token = first.run(
            "kubeadm", "--kubeconfig", "/etc/kubernetes/admin.conf", "token", "create", "--ttl", "1h"
        )
        authority = first.own("/etc/kubernetes/pki/ca.crt").read_bytes()
        written = configuration.joining(
            node.name, node.address, f"{first.address}:6443", token.strip(), _spki_hash(authority)
        )
        (node.folder / "kubeadm.yaml").write_text(written)
        if node.name.startswith("cp"):
            for name in SHARED_PKI:
                copy = node.own(f"/etc/kubernetes/pki/{name}")
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(first.own(f"/etc/kubernetes/pki/{name}"), copy)
        self._kubeadm(node, "join", "--config", str(node.folder / "kubeadm.yaml"), "--skip-phases=preflight")

    def _kubeadm(self, node: Node, *arguments: str) -> None:
        """Run kubeadm, and start the kubelet for it as soon as its two files are there.

        There is no service manager for kubeadm to talk to; it warns, waits for the kubelet and goes on.
        """
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(node.attempt, "kubeadm", *arguments, seconds=400)
            files = [node.own(f"/var/lib/kubelet/{name}") for name in ("kubeadm-flags.env", "config.yaml")]

            def written() -> bool:
                return running.done() or all(path.exists() and path.stat().st_size for path in files)

            wait_for(f"the kubelet's files on {node.name}", written, seconds=180)
            if not running.done():
                time.sleep(0.5)  # the flags are written just before the configuration is complete
                self.start_kubelet(node)
            done = running.result()
        (node.folder / "kubeadm.log").write_text(done.stdout + done.stderr)
        if done.returncode:
            message = (
                f"kubeadm {arguments[0]} failed on {node.name}:\n{done.stdout[-1500:]}{done.stderr[-1500:]}"
            )
            raise RuntimeError(message)

    def start_kubelet(self, node: Node) -> None:
        """Start the kubelet as its package's unit does."""
        line = node.own("/var/lib/kubelet/kubeadm-flags.env").read_text().strip()
        flags = line.partition("=")[2].strip('"').split()
        node.daemon(
            "kubelet",
            "kubelet",
            *flags,
            "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf",
            "--kubeconfig=/etc/kubernetes/kubelet.conf",
            "--config=/var/lib/kubelet/config.yaml",
            # Kubelets that share /kubepods take each other's pods for orphans and kill them.
            f"--cgroup-root=/{self.settings.prefix}/{node.name}",
        )

    def restart_kubelet(self, node: Node) -> None:
        """Let the kubelet read its files anew."""
        node.stop("kubelet")
        self.start_kubelet(node)

    def _start_pod_network(self) -> None:
        """Give each node a bridge on its own range, and routes to the others'."""
        ranges = {name: self._pod_range(name) for name in self.nodes}
        for node in self.machines:
            for name, pods in ranges.items():
                if name != node.name:
                    machine.ip(
                        "-n", node.namespace, "route", "replace", pods, "via", self.nodes[name].address
                    )
        for name, node in self.nodes.items():
            node.own("/etc/cni/net.d/10-lab.conflist").write_text(configuration.pod_network(ranges[name]))

    def _pod_range(self, name: str) -> str:
        asked = ("get", "node", name, "-o", "jsonpath={.spec.podCIDR}")
        return wait_for(f"the pod range of {name}", lambda: self.kubectl(*asked), seconds=60)

    def _start_proxy(self, node: Node) -> None:
        """Run kube-proxy beside the node's process table, since it is no pod here as it usually is."""
        first = self.first
        access = first.run(
            *("kubeadm", "kubeconfig", "user", "--config", str(first.folder / "kubeadm.yaml")),
            *("--client-name", "system:kube-proxy"),
        )
        (node.folder / "kube-proxy.conf").write_text(access)
        (node.folder / "kube-proxy.conf").chmod(0o600)
        (node.folder / "kube-proxy.yaml").write_text(
            configuration.proxy(node.name, node.folder / "kube-proxy.conf")
        )
        node.unseen_daemon("kube-proxy", "kube-proxy", "--config", str(node.folder / "kube-proxy.yaml"))

    # ---- use

    def kubectl(
        self, *arguments: str, given: str | None = None, check: bool = True, seconds: float = 120
    ) -> str:
        """Run kubectl as administrator, in the network of the first control plane."""
        done = subprocess.run(
            (
                *(
                    "nsenter",
                    f"--net=/run/netns/{self.first.namespace}",
                    str(self.settings.binaries / "kubectl"),
                ),
                *("--server", f"https://{self.first.address}:6443", *arguments),
            ),
            env=os.environ | {"KUBECONFIG": str(self.first.own("/etc/kubernetes/admin.conf"))},
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
        return finished(done, check=check)

    def objects(self, *arguments: str) -> list[Object]:
        """List objects."""
        items: list[Object] = json.loads(self.kubectl("get", *arguments, "-o", "json"))["items"]
        return items

    def approve_serving(self) -> int:
        """Approve the kubelets' pending requests for serving certificates; say how many."""
        pending = [
            each["metadata"]["name"]
            for each in self.objects("csr")
            if each["spec"]["signerName"] == "kubernetes.io/kubelet-serving"
            and not each["status"].get("conditions")
        ]
        if pending:
            self.kubectl("certificate", "approve", *pending)
        return len(pending)

    def restart_static_pods(self, node: Node, changes: Mapping[str, Callable[[str], str]]) -> None:
        """Change the manifests of these components and wait for their new processes.

        A kubelet takes up to a minute to replace a static pod by itself; one that starts and finds the old
        process dead takes a second.
        """
        with self.without_static_pods(node, *changes):
            for component, change in changes.items():
                manifest = node.own(f"/etc/kubernetes/manifests/{component}.yaml")
                aside = node.own(f"/etc/kubernetes/{component}.yaml.new")
                aside.write_text(change(manifest.read_text()))
                aside.chmod(0o600)
                aside.rename(manifest)

    @contextmanager
    def without_static_pods(self, node: Node, *components: str) -> Iterator[None]:
        """End these components and their kubelet, and start them anew."""
        running = {f"^{component} " for component in components}
        node.stop("kubelet")
        for pattern in running:
            node.attempt("pkill", "-9", "-f", pattern)
        wait_for(f"the end of {components}", lambda: not _found(node, running), seconds=20)
        try:
            yield
        finally:
            self.start_kubelet(node)
        wait_for(f"the new {components} on {node.name}", lambda: _found(node, running) == running, seconds=90)

    def await_api_server(self) -> None:
        """Wait until the first control plane's API server answers."""
        ready = ("get", "--raw", "/readyz")
        wait_for("the API server", lambda: self.kubectl(*ready, seconds=10), seconds=120)

    def await_ready(self) -> None:
        """Wait until every node is Ready and has a serving certificate."""

        def ready() -> bool:
            self.approve_serving()
            states = [
                condition["status"]
                for node in self.objects("nodes")
                for condition in node["status"]["conditions"]
                if condition["type"] == "Ready"
            ]
            links = (
                node.own("/var/lib/kubelet/pki/kubelet-server-current.pem") for node in self.nodes.values()
            )
            return states == ["True"] * len(self.nodes) and all(link.is_symlink() for link in links)

        wait_for("the nodes to be Ready", ready, seconds=180, every=0.5)

    # ---- down

    @contextmanager
    def keeping_logs(self, target: Path) -> Iterator[None]:
        """Copy the logs of all parts into a folder if what is done here fails, and say where they are."""
        try:
            yield
        except BaseException as error:
            error.add_note(f"logs are kept in {self.keep_logs(target)}")
            raise

    def keep_logs(self, target: Path) -> Path:
        """Copy the logs of all parts into a folder."""
        target.mkdir(parents=True, exist_ok=True)
        for node in self.machines:
            for log in node.folder.glob("*.log"):
                shutil.copy2(log, target / f"{node.name}-{log.name}")
            pods = node.own("/var/log/pods")
            for log in pods.glob("*/*/*.log"):
                name = "-".join(log.relative_to(pods).parts)
                shutil.copy2(log, target / f"{node.name}-pod-{name}")
        for name, asked in (
            ("objects", ("get", "nodes,pods,daemonsets,csr", "-A", "-o", "wide")),
            ("events", ("get", "events", "-A", "--sort-by=.lastTimestamp")),
            ("pods", ("describe", "pods", "-n", "kube-pki-exporter")),
        ):
            with suppress(*PASSING):
                (target / f"kubectl-{name}.txt").write_text(self.kubectl(*asked, check=False, seconds=20))
        return target

    def down(self) -> None:
        """End and remove everything but the cache; harmless where nothing runs."""
        for node in self.machines:
            # The init of a PID namespace takes every process in it along.
            with suppress(LookupError, ProcessLookupError):
                if node.alive("init"):
                    os.kill(node.pid("init"), 9)
        machine.kill_members(self.settings.prefix)
        reap()
        machine.remove_network(self.settings.prefix)
        machine.remove_cgroups(self.settings.prefix)
        before = self.settings.home / "before.json"
        if before.exists():
            found = json.loads(before.read_text())
            for name, value in found["sysctls"].items():
                machine.write_sysctl(name, value)
            machine.remove_folders(found["missing"])
        if mounted := machine.mounts_below(self.settings.home):
            message = f"still mounted: {mounted}"
            raise RuntimeError(message)
        remove = partial(shutil.rmtree, self.settings.home, ignore_errors=False)
        wait_for(
            "the removal of the nodes' files",
            lambda: not self.settings.home.exists() or not remove(),
            seconds=20,
        )

    def leftovers(self) -> list[str]:
        """Name what is left of the cluster on the machine; empty after ``down``."""
        prefix = self.settings.prefix
        found = [f"process {pid}" for pid in sorted(machine.members(prefix))]
        found += [f"network namespace {name}" for name in machine.network_namespaces(prefix)]
        found += [f"interface {name}" for name in machine.interfaces() if name.startswith(f"{prefix}-")]
        found += [f"cgroup {path / prefix}" for path in machine.hierarchies() if (path / prefix).exists()]
        found += [f"mount {point}" for point in machine.mounts_below(self.settings.home)]
        return found


def _found(node: Node, patterns: Iterable[str]) -> set[str]:
    """Which of the patterns a command line on the node has."""
    return {pattern for pattern in patterns if node.attempt("pgrep", "-f", pattern).returncode == 0}


def _spki_hash(certificate: bytes) -> str:
    """Hash a PEM certificate's public key, as kubeadm wants it for the discovery of a cluster."""
    done = subprocess.run(
        ("openssl", "x509", "-noout", "-pubkey"),
        input=certificate,
        capture_output=True,
        check=True,
        timeout=30,
    ).stdout
    body = b"".join(line for line in done.splitlines() if not line.startswith(b"-"))
    return hashlib.sha256(base64.b64decode(body)).hexdigest()
