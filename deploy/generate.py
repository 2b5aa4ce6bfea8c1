#!/usr/bin/env python3
"""Write what kustomize and Helm need copies of: node shapes, alert rules, dashboards.

Neither tool can read a file outside its own folder, so the copies are committed; ``--check`` names the stale.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

DEPLOY = Path(__file__).resolve().parent
SHAPES = DEPLOY / "node-shapes.yaml"
NODES = DEPLOY / "kustomize/nodes"
OPERATOR = DEPLOY / "kustomize/components/prometheus-operator"
CHART = DEPLOY / "helm/kube-pki-exporter/files"
LABELS = {
    "app.kubernetes.io/name": "kube-pki-exporter",
    "app.kubernetes.io/instance": "kube-pki-exporter",
}


def header(source: str) -> str:
    """Say at the top of a file where it comes from."""
    return f"# Made by deploy/generate.py from {source}; change that.\n"


class _Dumper(yaml.SafeDumper):
    """YAML that people can read: text in blocks, no anchors, lists indented."""

    def ignore_aliases(self, _data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 PyYAML's name
        super().increase_indent(flow, False)


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def dump(*documents: object) -> str:
    """Write one or more YAML documents."""
    return yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, width=120)


def volume(path: str) -> str:
    """Name the volume of a host path."""
    return re.sub("[^a-z0-9]+", "-", path.lower()).strip("-")[-63:].strip("-")


def affinity(shape: Mapping[str, list[str]]) -> dict[str, object] | None:
    """Select the nodes of a shape by the labels they have and do not have."""
    expressions = [{"key": key, "operator": "Exists"} for key in shape.get("requires", [])]
    expressions += [{"key": key, "operator": "DoesNotExist"} for key in shape.get("excludes", [])]
    if not expressions:
        return None
    terms = {"nodeSelectorTerms": [{"matchExpressions": expressions}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def pod(shape: Mapping[str, list[str]]) -> dict[str, object]:
    """Build the part of the pod that differs between shapes."""
    kinds = dict.fromkeys(shape.get("directories", []), "Directory")
    kinds |= dict.fromkeys(shape.get("files", []), "File")
    mounts: list[dict[str, object]] = [
        {
            "name": volume(path),
            "mountPath": f"/host{path}",
            "readOnly": True,
            "recursiveReadOnly": "IfPossible",
        }
        for path in kinds
    ]
    volumes: list[dict[str, object]] = [
        {"name": volume(path), "hostPath": {"path": path, "type": kind}} for path, kind in kinds.items()
    ]
    for path in shape.get("masked", []):
        mounts.append({"name": volume(path), "mountPath": f"/host{path}", "readOnly": True})
        volumes.append({"name": volume(path), "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}})
    spec: dict[str, object] = {
        "containers": [{"name": "exporter", "volumeMounts": mounts}],
        "volumes": volumes,
    }
    if selected := affinity(shape):
        spec = {"affinity": selected} | spec
    return spec


def shape_kustomization(name: str, shape: Mapping[str, list[str]], *, alone: bool) -> dict[str, object]:
    """Build the kustomization of one DaemonSet, named after its shape where a distribution has several."""
    patch = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "kube-pki-exporter", "namespace": "kube-pki-exporter"},
        "spec": {"template": {"spec": pod(shape)}},
    }
    content: dict[str, object] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["../../../daemonset"],
    }
    if not alone:
        content["nameSuffix"] = f"-{name}"
    content["labels"] = [{"pairs": {"node-shape": name}, "includeSelectors": True}]
    content["patches"] = [{"patch": dump(patch)}]
    if shape.get("dac_read_search"):
        content["components"] = ["../../../components/dac-read-search"]
    return content


def node_files() -> Iterator[tuple[Path, str]]:
    """Make one kustomization for each distribution and each of its shapes."""
    source = header("deploy/node-shapes.yaml")
    for distribution, shapes in yaml.safe_load(SHAPES.read_text()).items():
        folder = NODES / distribution
        content = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": ["../../base", *shapes],
        }
        yield folder / "kustomization.yaml", source + dump(content)
        for name, shape in shapes.items():
            text = dump(shape_kustomization(name, shape, alone=len(shapes) == 1))
            yield folder / name / "kustomization.yaml", source + text
    yield CHART / "node-shapes.yaml", source + dump(yaml.safe_load(SHAPES.read_text()))


def named(kind: str, version: str, name: str, **labels: str) -> dict[str, object]:
    """Begin an object of the exporter's namespace."""
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": "kube-pki-exporter",
            "labels": LABELS | labels,
        },
    }


def rule_files(alerts: Path) -> Iterator[tuple[Path, str]]:
    """Make a PrometheusRule of all rule files, and a copy of each for the chart."""
    groups: list[object] = []
    for path in sorted(alerts.glob("*.yaml")):
        rules = yaml.safe_load(path.read_text())
        if not isinstance(rules, dict) or "groups" not in rules:
            continue
        groups += rules["groups"]
        yield CHART / "rules" / path.name, header(f"alerts/{path.name}") + path.read_text()
    rule = named("PrometheusRule", "monitoring.coreos.com/v1", "kube-pki-exporter")
    yield (
        OPERATOR / "prometheusrule.yaml",
        header("alerts/*.yaml") + dump(rule | {"spec": {"groups": groups}}),
    )


def dashboard_files(dashboards: Path) -> Iterator[tuple[Path, str]]:
    """Make a ConfigMap of each dashboard, and a copy for the chart."""
    objects = []
    for path in sorted(dashboards.glob("*.json")):
        text = path.read_text()
        name = f"kube-pki-exporter-{path.stem}"
        objects.append(
            named("ConfigMap", "v1", name, grafana_dashboard="1") | {"data": {f"{name}.json": text}}
        )
        yield CHART / "dashboards" / path.name, text
    yield OPERATOR / "dashboards.yaml", header("dashboards/*.json") + dump(*objects)


def generated(root: Path = DEPLOY.parent) -> dict[Path, str]:
    """Map every generated file to what it should hold."""
    return {
        **dict(node_files()),
        **dict(rule_files(root / "alerts")),
        **dict(dashboard_files(root / "dashboards")),
    }


def leftovers(wanted: Mapping[Path, str]) -> list[Path]:
    """List files of generated folders that nothing makes any more."""
    folders = (NODES, CHART)
    present = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in present if path not in wanted)


def main() -> int:
    """Write the files, or say which differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 and name what is stale")
    check = parser.parse_args().check
    wanted = generated()
    extra = leftovers(wanted)
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    for path in [*stale, *extra]:
        sys.stdout.write(f"{path.relative_to(DEPLOY.parent)}\n")
    if check:
        return 1 if stale or extra else 0
    for path in extra:
        path.unlink()
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
