"""Many callers who record at once, keep what they were answered, and do not give up.

Every request registers somebody, with a name to seal and an id to map: one fact, one alias, one
key and one sealed value, or nothing of it.
"""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import httpx
import psycopg

RETRY_SECONDS = 0.05
_NAMES = """SELECT count(*) FROM disclosures d JOIN facts f USING (position)
    WHERE f.type = 'person-registered.v1'
    AND convert_from(f.leaf, 'UTF8') LIKE '%' || d.digest || '%'"""


@dataclass
class Asked:
    """One request: its key, every status it was answered with (0: none), and where it stands."""

    key: str
    statuses: list[int] = field(default_factory=list[int])
    position: int | None = None
    answered: float = 0.0


@dataclass
class Crowd:
    """Callers and what they asked; `address` may change under them."""

    address: Callable[[], str]
    token: str
    asked: list[Asked] = field(default_factory=list[Asked])
    stopping: threading.Event = field(default_factory=threading.Event)

    def send(self, client: httpx.Client, one: Asked) -> bool:
        """Sends a request once; whether it was accepted."""
        body = {"id": one.key, "name": f"Nobody {one.key}", "roles": ["interviewer"]}
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": one.key}
        try:
            url = f"{self.address()}/v1/people"
            response = client.post(url, json=body, headers=headers)
        except httpx.TransportError:
            one.statuses.append(0)
            return False
        one.statuses.append(response.status_code)
        if response.status_code != 201:
            return False
        (position,) = response.json()["positions"]
        assert one.position in (None, position), "the same key was answered in two ways"
        if one.position is None:
            one.position, one.answered = position, time.monotonic()
        return True

    def _go_on(self, number: int) -> None:
        with httpx.Client(timeout=60, trust_env=False) as client:
            count = 0
            while not self.stopping.is_set():
                one = Asked(f"caller-{number}-{count}")
                self.asked.append(one)
                while not self.send(client, one) and not self.stopping.is_set():
                    time.sleep(RETRY_SECONDS)
                count += 1

    @contextmanager
    def recording(self, callers: int = 8) -> Generator[None]:
        """They record while the block runs; then each ends the request it is at."""
        threads = [threading.Thread(target=self._go_on, args=(n,)) for n in range(callers)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stopping.set()
            for thread in threads:
                thread.join(90)
            assert not any(thread.is_alive() for thread in threads), "a caller hangs"

    def ask_again(self) -> None:
        """Everything is sent once more with its key: what was lost is told, or recorded now."""
        with httpx.Client(timeout=60, trust_env=False) as client:
            for one in self.asked:
                assert self.send(client, one), one

    def longest_pause(self) -> float:
        """Seconds between two acceptances, at most."""
        times = sorted(one.answered for one in self.asked if one.answered)
        return max(later - earlier for earlier, later in pairwise(times))

    def first_after(self, moment: float) -> float:
        """Seconds from a moment to the next acceptance."""
        return min(one.answered for one in self.asked if one.answered > moment) - moment


def one_set_of_facts_each(url: str, schema: str, keys: set[str]) -> int:
    """Checks the rows for exactly one of everything for each key; how long the log is.

    Dense positions, one registration per alias, and a sealed name behind every registration.
    """
    with psycopg.connect(url, options=f"-c search_path={schema}") as connection:

        def count(query: str) -> int:
            return int(connection.execute(query.encode()).fetchall()[0][0])

        head = count("SELECT coalesce(max(position), 0) FROM facts")
        assert count("SELECT count(*) FROM facts") == head, "a position is missing"
        people = count("SELECT count(*) FROM facts WHERE type = 'person-registered.v1'")
        spent = count("SELECT count(*) FROM requests r WHERE cardinality(positions) = 1")
        assert people == len(keys), "somebody was registered twice, or not at all"
        assert spent == head, "a fact without its request key, or the reverse"
        for rows in (
            "SELECT count(*) FROM aliases WHERE kind = 'person'",
            "SELECT count(*) FROM subject_keys WHERE subject LIKE 'p\\_%'",
            _NAMES,
        ):
            assert count(rows) == people, rows
        return head
