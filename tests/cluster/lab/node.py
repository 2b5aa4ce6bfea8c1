"""One node: namespaces, what is bound into them, and the processes that run there."""

import ctypes
import http.client
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.cluster.lab.machine import home_cgroup, ip, make_cgroups, members
from tests.cluster.lab.settings import Settings
from tests.cluster.lab.waiting import CommandError, wait_for

SERVICES = "10.96.0.0/12"
OWN = (
    "/etc/kubernetes",
    "/etc/cni/net.d",
    "/var/lib/kubelet",
    "/var/lib/etcd",
    "/var/lib/cni",
    "/var/lib/containerd",
    "/run/containerd",
    "/run/netns",
    "/run/secrets",
    "/var/log/pods",
    "/var/log/containers",
)
"""What a node must not share with the machine or another node.

A kubelet removes the logs of other nodes' pods; ``/run/netns`` and ``/var/lib/cni`` hold the pods' networks.
"""

SETUP = """
node=$1 folder=$2 init=$3; shift 3
hostname "$node"
mount -t proc proc /proc
for path; do
  name=${path#/}; name=${name//\\//_}
  mkdir -p "$path" "$folder/$name"; mount --bind "$folder/$name" "$path"
done
for name in hosts hostname; do mount --bind "$folder/$name" "/etc/$name"; done
mount --make-rshared /
touch "$folder/ready"
exec "$init"
"""
ENTER_CGROUP = 'echo $$ > "$1"; shift; exec "$@"'
CLONE_NEWNET = 0x40000000
_children: list[subprocess.Popen[bytes]] = []
"""What was started here, kept so that each is waited for."""


class Node:
    """A machine of its own, as far as the processes in it can tell."""

    def __init__(self, settings: Settings, name: str, address: str) -> None:
        self.settings = settings
        self.name = name
        self.address = address
        self.folder = settings.home / "nodes" / name
        self.namespace = f"{settings.prefix}-{name}"

    def own(self, path: str) -> Path:
        """Where a file of the node is on the machine; only for what the node has for itself."""
        for bound in OWN:
            if path == bound or path.startswith(f"{bound}/"):
                return self.folder / bound.strip("/").replace("/", "_") / path[len(bound) :].lstrip("/")
        message = f"{path} is not of this node alone"
        raise ValueError(message)

    # ---- namespaces

    def start(self, hosts: str) -> None:
        """Make the namespaces, with a leg on a bridge that has no way out."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "hosts").write_text(hosts)
        (self.folder / "hostname").write_text(f"{self.name}\n")
        make_cgroups(self.settings.prefix, self.name)
        self._join_network()
        if self.alive("init"):
            return
        (self.folder / "ready").unlink(missing_ok=True)
        for name in ("run_containerd", "run_netns"):  # as after a boot
            shutil.rmtree(self.folder / name, ignore_errors=True)
        # `ip netns exec` would mount a fresh /sys and hide the cgroups.
        namespaces = ("--mount", "--uts", "--pid", "--fork", "--propagation", "private")
        setup = ("bash", "-euc", SETUP, "_", self.name, str(self.folder), str(self.settings.build / "pause"))
        inside = (f"--net=/run/netns/{self.namespace}", "unshare", *namespaces, *setup, *OWN)
        self._launch("init", ("nsenter", *inside))
        wait_for(f"the namespaces of {self.name}", (self.folder / "ready").exists, seconds=20)

    def _join_network(self) -> None:
        bridge = f"{self.settings.prefix}-br"
        ip("link", "add", bridge, "type", "bridge", check=False)
        ip("link", "set", bridge, "up")
        if not Path("/run/netns", self.namespace).exists():
            ip("netns", "add", self.namespace)
            ip("link", "add", self.namespace, "type", "veth", "peer", "name", "eth0", "netns", self.namespace)
        ip("link", "set", self.namespace, "master", bridge, "up")
        ip("-n", self.namespace, "link", "set", "lo", "up")
        ip("-n", self.namespace, "addr", "replace", f"{self.address}/24", "dev", "eth0")
        ip("-n", self.namespace, "link", "set", "eth0", "up")
        # Without a route a service's address is unreachable before kube-proxy can redirect it.
        ip("-n", self.namespace, "route", "replace", SERVICES, "dev", "eth0")

    def _entered(self, *, spaces: Sequence[str] = ("-m", "-n", "-u", "-p")) -> tuple[str, ...]:
        path = f"PATH={self.settings.binaries}:{os.environ['PATH']}"
        return ("nsenter", "-t", str(self.pid("init")), *spaces, f"--wdns={Path.cwd()}", "--", "env", path)

    # ---- processes

    def run(self, *command: str, given: str | None = None, check: bool = True, seconds: float = 120) -> str:
        """Run a command on the node and return what it writes; CommandError where it fails."""
        return finished(self.attempt(*command, given=given, seconds=seconds), check=check)

    def attempt(
        self, *command: str, given: str | None = None, seconds: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on the node and return how it ended."""
        return subprocess.run(
            (*self._entered(), *command),
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )

    def _launch(self, name: str, command: tuple[str, ...]) -> subprocess.Popen[bytes]:
        cgroup = home_cgroup(self.settings.prefix, self.name) / "cgroup.procs"
        with (self.folder / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                ("bash", "-c", ENTER_CGROUP, "_", str(cgroup), *command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        _children.append(child)
        # nsenter and unshare fork to enter a PID namespace: the process itself is their child.
        inner = wait_for(f"{name} on {self.name}", lambda: self._child_of(child), seconds=20, every=0.02)
        (self.folder / f"{name}.pid").write_text(str(inner))
        return child

    def _child_of(self, child: subprocess.Popen[bytes]) -> int:
        if child.poll() is not None:
            message = f"it ended at once, see {self.folder}"
            raise RuntimeError(message)
        for pid in members(self.settings.prefix):
            with suppress(OSError):
                if int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) == child.pid:
                    return pid
        return 0

    def daemon(self, name: str, *command: str, environment: Mapping[str, str] | None = None) -> None:
        """Start a process that stays, unless it runs; its output goes to ``NAME.log``."""
        if not self.alive(name):
            variables = tuple(f"{key}={value}" for key, value in (environment or {}).items())
            self._launch(name, (*self._entered(), *variables, *command))

    def unseen_daemon(self, name: str, *command: str) -> None:
        """Start a process that is in the node's network, yet not in its process table nor among its files."""
        if not self.alive(name):
            forking = ("unshare", "--fork", "--kill-child")
            self._launch(name, (*forking, *self._entered(spaces=("-n", "-u")), *command))

    def pid(self, name: str) -> int:
        """The process as the machine numbers it; LookupError where it never ran."""
        try:
            return int((self.folder / f"{name}.pid").read_text())
        except (OSError, ValueError):
            message = f"{name} was not started on {self.name}"
            raise LookupError(message) from None

    def alive(self, name: str) -> bool:
        """Whether the process on file is still one of this cluster."""
        try:
            return self.pid(name) in members(self.settings.prefix)
        except LookupError:
            return False

    def stop(self, name: str, *, by: signal.Signals = signal.SIGTERM) -> None:
        """End a process and wait until it has ended."""
        if self.alive(name):
            with suppress(ProcessLookupError):
                os.kill(self.pid(name), by)
            wait_for(f"the end of {name} on {self.name}", lambda: not self.alive(name), seconds=30)
        (self.folder / f"{name}.pid").unlink(missing_ok=True)

    # ---- network

    def connect(self, address: str, port: int, *, seconds: float = 10) -> socket.socket:
        """Open a connection from the node's network."""
        made = self._socket()
        made.settimeout(seconds)
        try:
            made.connect((address, port))
        except OSError:
            made.close()
            raise
        return made

    def listen(self, address: str, port: int) -> socket.socket:
        """Listen in the node's network."""
        made = self._socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
        made.listen()
        return made

    def _socket(self) -> socket.socket:
        """Make a socket in the node's network: it stays there, whichever thread uses it."""
        made: list[socket.socket | int] = []

        def make() -> None:
            libc = ctypes.CDLL(None, use_errno=True)
            with Path("/run/netns", self.namespace).open("rb") as namespace:
                if libc.setns(namespace.fileno(), CLONE_NEWNET):
                    made.append(ctypes.get_errno())
                else:
                    made.append(socket.socket())

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        (result,) = made
        if isinstance(result, int):
            raise OSError(result, f"cannot enter the network of {self.name}")
        return result

    def http(self, address: str, port: int, *, seconds: float = 10) -> "Connection":
        """Make an HTTP connection that starts in the node's network."""
        return Connection(self, address, port, seconds)


class Connection(http.client.HTTPConnection):
    """HTTP from a node's network."""

    def __init__(self, node: Node, address: str, port: int, seconds: float) -> None:
        super().__init__(address, port)
        self.node = node
        self.seconds = seconds

    def connect(self) -> None:
        """Connect from the node's network."""
        self.sock = self.node.connect(self.host, self.port, seconds=self.seconds)

    def fetch(self, path: str, *, method: str = "GET", body: str | None = None) -> tuple[int, str]:
        """Make one request; a connection that the other side closed is opened again."""
        headers = {"Content-Type": "application/json"} if body else {}
        try:
            self.request(method, path, body=body, headers=headers)
            answer = self.getresponse()
            return answer.status, answer.read().decode()
        except BaseException:
            self.close()
            raise


def finished(done: subprocess.CompletedProcess[str], *, check: bool = True) -> str:
    """Return what a command wrote; CommandError with its complaint where it failed."""
    if check and done.returncode:
        command = " ".join(map(str, done.args))
        message = f"exit {done.returncode} of {command[-500:]}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
        raise CommandError(message)
    return done.stdout


def reap() -> None:
    """Wait for what was started here and has ended."""
    for child in tuple(_children):
        with suppress(subprocess.TimeoutExpired):
            child.wait(5)
            _children.remove(child)
