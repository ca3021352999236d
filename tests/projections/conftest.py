"""What tests of projections share: builds and batches small enough that a few facts make many."""

import pytest

from projections import _build, follower


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handful of facts a transaction, and no pauses between them."""
    monkeypatch.setattr(follower, "BATCH_FACTS", 7)
    monkeypatch.setattr(follower, "GATHER_SECONDS", 0.001)
    monkeypatch.setattr(_build, "BUILD_FACTS", 50)
    monkeypatch.setattr(_build, "SWAP_PAUSE_SECONDS", 0.02)
