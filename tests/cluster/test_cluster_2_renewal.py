"""kubeadm renews everything while the exporter watches."""

import threading
import time

import pytest

from tests.cluster.conftest import Lab
from tests.cluster.samples import Samples

pytestmark = pytest.mark.cluster
SECTION = "kubeadm certs renew all"
INFO = "kubepki_certificate_info"


def test_new_dates_within_a_second_and_no_old_series(lab: Lab) -> None:
    """Each new certificate is on /metrics within a second of its file, and no series of an old one stays."""
    exporter, node = lab.exporters["cp1"], lab.cluster.first
    address = exporter.address()
    before = exporter.scrape(address)
    seen: list[tuple[float, Samples]] = []
    ended = threading.Event()

    def follow() -> None:
        while not ended.wait(0.02):
            seen.append((time.time(), exporter.scrape(address)))

    follower = threading.Thread(target=follow)
    follower.start()
    told = node.run("kubeadm", "certs", "renew", "all")
    time.sleep(2.5)
    ended.set()
    follower.join()
    after = seen[-1][1]

    old, new = before.fingerprints(), after.fingerprints()
    assert old.keys() == new.keys()
    renewed = {place for place in old if old[place] != new[place]}
    assert len(renewed) == told.count("renewed") - told.count("MISSING")
    delays = {}
    for place in renewed:
        first = next(at for at, samples in seen if samples.fingerprints().get(place) == new[place])
        delays[place] = first - node.own(place.split()[0]).stat().st_mtime
    assert max(delays.values()) <= 1.0, delays
    left = set(old.values()) & {each.labels["fingerprint"] for each in after.of(INFO)}
    assert left == {old[place] for place in old.keys() - renewed}
    gaps = [at for at, samples in seen if samples.fingerprints().keys() != old.keys()]
    assert gaps == []
    assert after.findings() == set()
    lab.evidence.show(
        SECTION,
        f"{len(renewed)} replaced; seen {min(delays.values()):.2f} to {max(delays.values()):.2f} s"
        f" after each file over {len(seen)} scrapes, without a gap, none of the old series left, no finding",
    )
    assert lab.monitoring.alerts() == set()
