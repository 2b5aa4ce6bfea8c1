"""What the tests of the deployment share."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Make known the marker of the tests that build the image."""
    config.addinivalue_line("markers", "image: builds the container image (root, buildah, debootstrap)")
