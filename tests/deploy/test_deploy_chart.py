"""The chart and the overlays are two ways to the same objects."""

import json
import subprocess
import sys
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # it has none
import pytest
import yaml
from packaging.version import Version

from tests.deploy.rendering import (
    CHART,
    PROJECT,
    SHAPES,
    VARIANTS,
    Object,
    container_of,
    kustomized,
    of_kind,
    pod_of,
    rendered,
    run,
    templated,
)
from tests.tools import require_helm

VERSIONS = sorted(kubernetes_validate.utils.all_versions(), key=Version)
"""Versions of the API whose schemas are at hand, oldest first."""

OURS = {"CustomResourceDefinition", "PodMonitor", "ServiceMonitor", "PrometheusRule"}
"""Kinds of the Prometheus operator, of which the API itself has no schema."""


@pytest.mark.parametrize("version", [VERSIONS[-1], "1.34.0"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_api_knows_every_field(variant: str, version: str) -> None:
    """Every object is valid in the newest and in the oldest supported minor, with no unknown field."""
    for each in rendered(variant):
        if each["kind"] not in OURS:
            kubernetes_validate.validate(each, version, strict=True)


def names_and_specs(found: list[Object], kind: str) -> dict[str, Any]:
    """Map the objects of a kind to their content, without what only Helm or kustomize adds."""
    return {each["metadata"]["name"]: normalized(each["spec"]) for each in of_kind(found, kind)}


def normalized(value: Any) -> Any:  # noqa: ANN401 - any part of a document
    """Order lists of named things by name, since their order means nothing."""
    if isinstance(value, dict):
        return {key: normalized(item) for key, item in value.items()}
    if isinstance(value, list):
        items = [normalized(item) for item in value]
        if all(isinstance(item, dict) and "name" in item for item in items):
            return sorted(items, key=lambda item: str(item["name"]))
        return items
    return value


@pytest.mark.parametrize("kind", ["DaemonSet", "NetworkPolicy", "PodMonitor", "PrometheusRule"])
@pytest.mark.parametrize("distribution", SHAPES)
def test_chart_and_overlay_are_one(distribution: str, kind: str) -> None:
    """The chart's defaults and the overlay of the same name render the same specification."""
    chart = templated(f"distribution={distribution}", "monitoring=podMonitor", "rules.enabled=true")
    assert names_and_specs(chart, kind) == names_and_specs(kustomized(distribution), kind)


def test_the_annotated_service_is_one() -> None:
    """Without the Prometheus operator both ways offer the same Service."""
    chart = of_kind(templated("monitoring=annotations"), "Service")
    overlay = of_kind(kustomized("no-operator/kubeadm"), "Service")
    assert [(each["spec"], each["metadata"]["annotations"]) for each in chart] == [
        (each["spec"], each["metadata"]["annotations"]) for each in overlay
    ]


def test_dashboards_are_one() -> None:
    """Both ways ship each dashboard, whole, in a ConfigMap that client-side apply can hold."""
    sources = {path.stem: path.read_text() for path in (PROJECT / "dashboards").glob("*.json")}
    for found in (templated("dashboards.enabled=true"), kustomized("kubeadm")):
        maps = of_kind(found, "ConfigMap")
        shipped = {
            each["metadata"]["name"].removeprefix("kube-pki-exporter-"): next(iter(each["data"].values()))
            for each in maps
            if "grafana_dashboard" in each["metadata"]["labels"]
        }
        assert shipped == sources
        assert all(len(json.dumps(each)) < 256 * 1024 for each in maps)


def test_what_is_generated_is_current() -> None:
    """Node shapes, rules and dashboards are the same in every copy; deploy/generate.py makes them so."""
    command = [sys.executable, str(PROJECT / "deploy/generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize("distribution", SHAPES)
def test_helm_lint_has_nothing_to_say(distribution: str) -> None:
    """The chart is in order for every preset."""
    assert "0 chart(s) failed" in run(
        require_helm(), "lint", str(CHART), "--strict", "--set", f"distribution={distribution}"
    )


@pytest.mark.parametrize(
    "setting",
    [
        "distribution=kops",
        "nosuchvalue=1",
        "extraPaths[0].path=/",
        "extraPaths[0].path=/var/lib/kubelet",
        "extraPaths[0].path=relative",
        "nodeShapes.node.directories[0]=/var/lib",
        "thresholds.certificate.later.days=3",
        "thresholds.certificate.soon.lifetime=25",
        "image.digest=latest",
        "webConfig.scheme=ftp",
    ],
)
def test_the_schema_refuses(setting: str) -> None:
    """A value that cannot be meant is refused before anything is installed."""
    command = [require_helm(), "template", "x", str(CHART), "--set", setting]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "schema" in done.stderr


def test_a_threshold_changes_its_own_rule_alone() -> None:
    """Days and share of the life can be set each; all else stays as shipped."""
    shipped = rules(templated("rules.enabled=true"))
    changed = rules(
        templated(
            "rules.enabled=true",
            "thresholds.certificate.soon.days=45",
            "thresholds.authority.critical.lifetime=0.5",
        )
    )
    assert [rule["expr"] for rule in changed if rule not in shipped] == [
        "clamp_max(kubepki:certificate_authority_lifetime_seconds * 0.5, 30 * 86400)",
        "clamp_max(kubepki:certificate_lifetime_seconds * 0.25, 45 * 86400)",
    ]
    assert len(changed) == len(shipped)


def rules(found: list[Object]) -> list[Object]:
    """List the rules of the only PrometheusRule."""
    (rule,) = of_kind(found, "PrometheusRule")
    return [each for group in rule["spec"]["groups"] for each in group["rules"]]


def test_alerts_can_be_labelled_and_left_out() -> None:
    """Routing by a label of one's own, and no alert that nobody wants."""
    found = rules(
        templated(
            "rules.enabled=true", "rules.alertLabels.team=platform", "rules.disabled[0]=KubePKIScanStale"
        )
    )
    alerts = [rule for rule in found if "alert" in rule]
    assert alerts
    assert {rule["labels"]["team"] for rule in alerts} == {"platform"}
    assert "KubePKIScanStale" not in {rule["alert"] for rule in alerts}
    assert not [rule for rule in found if "record" in rule and "team" in rule.get("labels", {})]


def test_an_extra_path_is_mounted_and_watched() -> None:
    """One value for both, so that neither is forgotten."""
    found = templated(
        "extraPaths[0].path=/opt/pki", "extraPaths[0].watch=/opt/pki/*.crt=ca", "extraPaths[1].path=/opt/more"
    )
    (daemonset,) = of_kind(found, "DaemonSet")
    container = container_of(daemonset)
    assert [argument for argument in container["args"] if argument.startswith("--watch")] == [
        "--watch=/opt/pki/*.crt=ca"
    ]
    assert {"/host/opt/pki", "/host/opt/more"} <= {each["mountPath"] for each in container["volumeMounts"]}


def test_own_node_shapes_replace_the_preset() -> None:
    """A distribution without a preset is one value away."""
    shape = "nodeShapes.eks.files[0]=/var/lib/kubelet/kubeconfig"
    (daemonset,) = of_kind(templated(shape), "DaemonSet")
    paths = [volume["hostPath"]["path"] for volume in pod_of(daemonset)["volumes"]]
    assert paths == ["/proc", "/var/lib/kubelet/kubeconfig"]


def test_web_configuration_reaches_probes_and_monitors() -> None:
    """With TLS the kubelet and Prometheus speak TLS, and with client certificates the kubelet only knocks."""
    web = ("webConfig.secretName=web", "webConfig.scheme=https", "monitoring=podMonitor")
    found = templated(*web)
    (daemonset,) = of_kind(found, "DaemonSet")
    container = container_of(daemonset)
    assert "--web.config.file=/etc/kube-pki-exporter/web/web.yml" in container["args"]
    assert container["livenessProbe"]["httpGet"]["scheme"] == "HTTPS"
    (monitor,) = of_kind(found, "PodMonitor")
    assert monitor["spec"]["podMetricsEndpoints"][0]["scheme"] == "https"
    (daemonset,) = of_kind(templated(*web, "webConfig.probe=tcp"), "DaemonSet")
    assert set(container_of(daemonset)["readinessProbe"]) & {"httpGet", "tcpSocket"} == {"tcpSocket"}


def test_selinux_options_are_passed_on() -> None:
    """Where SELinux confines containers the type is a value."""
    (daemonset,) = of_kind(templated("seLinuxOptions.type=spc_t"), "DaemonSet")
    assert pod_of(daemonset)["securityContext"]["seLinuxOptions"] == {"type": "spc_t"}


def test_the_scrape_configuration_keeps_our_pods_and_names_the_node() -> None:
    """The example for a plain Prometheus matches the labels that the pods have."""
    path = PROJECT / "deploy/kustomize/components/no-operator/scrape-config.yaml"
    (job,) = yaml.safe_load(path.read_text())["scrape_configs"]
    keep = next(rule for rule in job["relabel_configs"] if rule["action"] == "keep")
    (daemonset,) = of_kind(kustomized("no-operator/kubeadm"), "DaemonSet")
    labels = daemonset["spec"]["template"]["metadata"]["labels"]
    port = container_of(daemonset)["ports"][0]["name"]
    values = [labels["app.kubernetes.io/name"], labels["app.kubernetes.io/component"], port]
    assert keep["regex"] == ";".join(values)
    assert {"source_labels": ["__meta_kubernetes_pod_node_name"], "target_label": "node"} in job[
        "relabel_configs"
    ]
