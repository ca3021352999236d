"""A machine whose clock is wrong: nothing is recorded at a time that cannot be right."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from hall import Hall
from ledger.asked import Unavailable
from ledger.clocks import APART_MAX, ahead, apart
from ledger.database import Database
from ledger.ledger import Ledger
from ledger.personal.keyring import KeyRing
from ledger.publish import Publishing
from office import Answer, Office, open_office, rules

SECOND = timedelta(seconds=1)
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def set_clock(monkeypatch: pytest.MonkeyPatch, by: timedelta, *, checked: bool = True) -> None:
    """The machine's clock is off by so much; not `checked`, so is PostgreSQL's."""

    class Off(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + by

    places = ("ledger.append", "ledger.accept", "api.app") if checked else ("ledger.accept",)
    for place in places:
        monkeypatch.setattr(f"{place}.datetime", Off)


def register(office: Office, name: str) -> Answer:
    """Somebody is registered; the request key is made of the name."""
    body = {"id": name, "name": f"{name} Invented", "roles": ["interviewer"]}
    return office.call("POST", "/v1/people", body, token=office.admin, key=f"register-{name}")


def ready(office: Office) -> Answer:
    """What whoever runs it is told."""
    return office.call("GET", "/health/ready")


def last_recorded(ledger: Ledger) -> datetime:
    """When the last fact was recorded."""
    with ledger.reading() as group:
        assert group.tip.recorded is not None
        return group.tip.recorded


def test_after_a_fact_from_the_future_nothing_is_recorded_until_then(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 that names the time; what was recorded before is told again; later it goes on."""
    with open_office(database, tmp_path) as office:
        first = register(office, "first")
        with monkeypatch.context() as broken:
            set_clock(broken, timedelta(days=400), checked=False)
            assert register(office, "ahead").status == 201
        head, poisoned = office.ledger_head(), last_recorded(office.ledger)
        late = register(office, "late")
        assert (late.status, late.headers["retry-after"]) == (503, "1")
        assert f"recorded at {poisoned:%Y-%m-%dT%H:%M:%S}Z, which is later" in late["detail"]
        assert "by 399 d 23 h: correct the clock, or wait" in late["detail"]
        assert (ready(office).status, "399 d 23 h" in ready(office).text) == (503, True)
        again = register(office, "first")
        assert again.body["positions"] == first.body["positions"]
        assert office.ledger_head() == head
        with monkeypatch.context() as later:
            set_clock(later, timedelta(days=400), checked=False)
            assert register(office, "late").status == 201
        assert office.ledger_head() == head + 1


@pytest.mark.parametrize("by", [timedelta(minutes=7), timedelta(days=-400)], ids=str)
def test_a_clock_that_is_not_the_stores_records_nothing(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: timedelta
) -> None:
    """It is found before the first fact is written, told, and over once the clock is right."""
    with open_office(database, tmp_path) as office:
        first, head = register(office, "first"), office.ledger_head()
        with monkeypatch.context() as broken:
            set_clock(broken, by)
            for name in ("late", "later"):
                refused = register(office, name)
                assert refused.status == 503
                # A clock that went back is behind the last fact, too.
                assert re.search("apart: correct the one|by 399 d 23 h: correct", refused["detail"])
            assert (ready(office).status, "apart" in ready(office).text) == (503, True)
            assert register(office, "first").body["positions"] == first.body["positions"]
            assert office.ledger_head() == head
        assert ready(office).status == 200
        assert register(office, "late").status == 201
        assert office.ledger_head() == head + 1


def test_a_clock_that_steps_back_a_little_is_in_order(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger's time stands still until the machine's has caught up."""
    how = Publishing.of(tmp_path)
    with Ledger(database, KeyRing.open(tmp_path / "keys"), rules(), how) as ledger:
        hall = Hall(ledger)
        with monkeypatch.context() as fast:
            set_clock(fast, APART_MAX - 30 * SECOND)
            ledger.submit(hall.a_stranger()).result(30)
        before = last_recorded(ledger)
        ledger.submit(hall.a_stranger()).result(30)
        assert last_recorded(ledger) == before
        with monkeypatch.context() as fast:
            set_clock(fast, 3 * APART_MAX)
            with pytest.raises(Unavailable, match="apart") as refused:
                ledger.submit(hall.a_stranger()).result(30)
        assert refused.value.recorded is False


@pytest.mark.parametrize("sign", [1, -1])
def test_five_minutes_are_the_limit_on_both_sides(sign: int) -> None:
    """A second more is told, with both times and how long; a fact of long ago is in order."""
    assert apart(NOW + sign * APART_MAX, NOW) is None
    assert "5 min apart" in str(apart(NOW + sign * (APART_MAX + SECOND), NOW))
    assert "2 h 3 min apart" in str(apart(NOW + sign * timedelta(hours=2, minutes=3), NOW))
    assert ahead(NOW + sign * APART_MAX, NOW) is None
    assert (ahead(NOW + sign * timedelta(days=1), NOW) is None) == (sign < 0)
    assert ahead(None, NOW) is None
