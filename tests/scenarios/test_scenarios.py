"""What happens to real nodes, each with the exact set of findings it must give and no other."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios import (
    authorities,
    certificates,
    chains,
    datastores,
    distributions,
    files,
    kubelets,
    owners,
)
from tests.scenarios.tree import Scenario, Tree, Watcher

SCENARIOS = (
    *certificates.SCENARIOS,
    *kubelets.SCENARIOS,
    *authorities.SCENARIOS,
    *files.SCENARIOS,
    *owners.SCENARIOS,
    *chains.SCENARIOS,
    *datastores.SCENARIOS,
    *distributions.SCENARIOS,
)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: f"{scenario.tree}: {scenario.name}")
def test_a_change_gives_what_it_must_and_nothing_else(
    unpacked: Callable[[str], Path], scenario: Scenario
) -> None:
    """One defect, one finding: an operator who is told three things looks in three places."""
    root = unpacked(scenario.tree)
    scenario.mutate(Tree(root))

    seen = Watcher(root, scenario.watch).look_twice()

    assert seen.findings == scenario.findings
    assert seen.failures == scenario.failures
    assert seen.missing == scenario.missing
