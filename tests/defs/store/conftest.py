"""What tests of logs share."""

from __future__ import annotations

import pytest

from bsatn.engines import available


@pytest.fixture(params=[name for name in available() if name != "construct"])
def each_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test runs with every engine that has its own way through a log."""
    monkeypatch.setenv("BSATN_ENGINE", request.param)
