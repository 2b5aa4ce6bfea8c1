"""A kubeconfig that nothing names leads to its certificates only as far as it can be believed."""

from pathlib import Path

import pytest

from exporter.discovery import certificates_named_by
from exporter.model import Part
from tests.discovery.looking import files_of, plant

KUBECONFIG = """\
kind: Config
clusters: [{name: c, cluster: {certificate-authority: ca.crt, server: https://x}}]
users: [{name: u, user: {client-certificate: %s, client-key: u.key}}]
"""


@pytest.mark.parametrize(
    ("named", "mode", "paths"),
    [
        ("/root/u.crt", 0o600, ("/root/u.crt", "/etc/kubernetes/ca.crt")),
        ("certs/u.crt", 0o600, ("/etc/kubernetes/certs/u.crt", "/etc/kubernetes/ca.crt")),
        ("/root/u.crt", 0o666, ("/etc/kubernetes/ca.crt",)),
        ("../../etc/shadow", 0o666, ("/etc/kubernetes/ca.crt",)),
    ],
)
def test_only_roots_word_leads_out_of_the_pki_directories(
    tmp_path: Path, named: str, mode: int, paths: tuple[str, ...]
) -> None:
    """What others can have written leads only to where certificates belong (DESIGN 5)."""
    plant(tmp_path, {"/etc/kubernetes/ops.conf": KUBECONFIG % named})
    (tmp_path / "etc/kubernetes/ops.conf").chmod(mode)
    files = files_of(tmp_path)
    file = files.file("/etc/kubernetes/ops.conf", expected=Part.KUBECONFIG)

    assert certificates_named_by(files, file) == paths


def test_what_is_no_kubeconfig_names_nothing(tmp_path: Path) -> None:
    """A certificate or a text leads nowhere."""
    plant(tmp_path, {"/etc/kubernetes/notes": "hello"})
    files = files_of(tmp_path)

    assert certificates_named_by(files, files.file("/etc/kubernetes/notes")) == ()
