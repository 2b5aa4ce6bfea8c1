"""Kubernetes, etcd and the images that kubeadm wants, from Go modules; what is there is skipped."""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from tests.cluster.lab.images import write_image
from tests.cluster.lab.settings import Settings
from tests.tools import PROGRAMS

COMPONENTS = (
    "kubeadm",
    "kubectl",
    "kubelet",
    "kube-proxy",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
)
STATIC_PODS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
PROMETHEUS = "v0.316.0"
LIMIT = 40 * 60
"""Seconds that one build may take."""


def _go(folder: Path, *arguments: str, extra: Mapping[str, str] = MappingProxyType({})) -> str:
    environment = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod -buildvcs=false", **extra}
    command = ("go", *arguments)
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=LIMIT
    )
    if done.returncode:
        message = f"{' '.join(command)[:300]} in {folder} failed:\n{done.stderr[-3000:]}"
        raise RuntimeError(message)
    return done.stdout


@contextmanager
def _timed(what: str) -> Iterator[None]:
    begun = time.monotonic()
    yield
    print(f"{what} took {time.monotonic() - begun:.0f} s")  # noqa: T201 a build of minutes says where it is


def _fresh_module(folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in ("go.mod", "go.sum"):
        (folder / old).unlink(missing_ok=True)
    _go(folder, "mod", "init", name)


def _kubernetes_module(settings: Settings) -> Path:
    """Make a module that can build Kubernetes.

    It asks for its staging modules as v0.0.0, so each is pinned to the release of the same version.
    """
    folder = settings.cache / "src" / f"kubernetes-{settings.version}"
    if (folder / "ready").exists():
        return folder
    _fresh_module(folder, "lab.test/kubernetes")
    wanted = f"k8s.io/kubernetes@v{settings.version}"
    published = json.loads(_go(folder, "mod", "download", "-json", wanted))["GoMod"]
    module = json.loads(_go(folder, "mod", "edit", "-json", published))
    staged = {each["Path"] for each in module["Require"] if each["Version"] == "v0.0.0"}
    staged |= {
        each["Old"]["Path"]
        for each in module.get("Replace") or []
        if each["New"]["Path"].startswith("./staging")
    }
    release = f"v0.{settings.version.removeprefix('1.')}"
    replacements = (f"-replace={path}={path}@{release}" for path in sorted(staged))
    _go(folder, "mod", "edit", f"-go={module['Go']}", f"-require={wanted}", *replacements)
    (folder / "ready").touch()
    return folder


def _build_kubernetes(settings: Settings, components: Sequence[str]) -> None:
    folder = _kubernetes_module(settings)
    values = {
        "gitVersion": f"v{settings.version}",
        "gitMajor": "1",
        "gitMinor": str(settings.minor),
        "gitTreeState": "clean",
    }
    flags = " ".join(
        f"-X {package}.{key}={value}"
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
        for key, value in values.items()
    )
    packages = (f"k8s.io/kubernetes/cmd/{component}" for component in components)
    _go(folder, "build", "-ldflags", f"-s -w {flags}", "-o", f"{settings.binaries}/", *packages)


def image_reference(settings: Settings, component: str) -> str:
    """Ask kubeadm what it calls a component's image."""
    command = (settings.binaries / "kubeadm", "config", "images", "list", "--kubernetes-version")
    listed = subprocess.run(
        (*command, f"v{settings.version}"), capture_output=True, text=True, check=True, timeout=60
    ).stdout
    return next(line for line in listed.split() if f"/{component}:" in line)


def _build_etcd(settings: Settings) -> None:
    """Build the version that this kubeadm deploys."""
    tag = image_reference(settings, "etcd").rpartition(":")[2]
    package = "go.etcd.io/etcd/server/v3"
    folder = settings.cache / "src/etcd"
    _fresh_module(folder, "lab.test/etcd")
    _go(folder, "get", "-tool", f"{package}@v{tag.partition('-')[0]}")
    _go(folder, "build", "-ldflags", "-s -w", "-o", str(settings.binaries / "etcd"), package)


def _build_pause(settings: Settings) -> Path:
    """Build the process that holds a pod's, and here also a node's, namespaces open."""
    target = settings.build / "pause"
    if not target.exists():
        source = Path(__file__).with_name("pause.go")
        _go(source.parent, "build", "-ldflags", "-s -w", "-o", str(target), str(source))
    return target


def build_prometheus() -> Path:
    """Build Prometheus, unless the cache has it: Debian's lacks the service discovery of Kubernetes."""
    target = PROGRAMS / "prometheus"
    if not target.exists():
        PROGRAMS.mkdir(parents=True, exist_ok=True)
        with _timed(f"building prometheus {PROMETHEUS}"):
            package = f"github.com/prometheus/prometheus/cmd/prometheus@{PROMETHEUS}"
            options = ("-ldflags", "-s -w", "-tags", "remove_all_sd,enable_kubernetes_sd")
            _go(PROGRAMS, "install", *options, package, extra={"GOBIN": str(PROGRAMS), "GOFLAGS": ""})
    return target


def build(settings: Settings) -> None:
    """Build what the cache lacks: minutes with an empty one, nothing with a full one."""
    settings.binaries.mkdir(parents=True, exist_ok=True)
    settings.images.mkdir(parents=True, exist_ok=True)
    if missing := [name for name in COMPONENTS if not (settings.binaries / name).exists()]:
        with _timed(f"building {', '.join(missing)} {settings.version}"):
            _build_kubernetes(settings, missing)
    if not (settings.binaries / "etcd").exists():
        with _timed("building etcd"):
            _build_etcd(settings)
    pause = _build_pause(settings)
    for name in ("pause", *STATIC_PODS):
        target = settings.images / f"{name}.tar"
        if not target.exists():
            source = pause if name == "pause" else settings.binaries / name
            write_image(target, image_reference(settings, name), {f"/usr/local/bin/{name}": source})
