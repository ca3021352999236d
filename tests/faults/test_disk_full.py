"""The store's disk is full: 503, nothing half recorded, and back by itself when there is space."""

import os
import shutil
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from crowd import Asked, Crowd
from served import Mother, mother

DISK = "192m"
BACK_SECONDS_MAX = 15.0


def _namespaces() -> list[str]:
    """How we get a mount of our own: as root, or as a plain user in a namespace of users."""
    if os.geteuid() == 0:
        return ["unshare", "--mount"]
    return ["unshare", "--mount", "--user", "--map-current-user", "--keep-caps"]


@pytest.fixture
def small_disk(passable_dir: Path) -> Generator[tuple[Mother, Path]]:
    """A process that alone sees a small disk, and where it is."""
    where = passable_dir / "small"
    where.mkdir()
    mount = f"mount -t tmpfs -o size={DISK},mode=0711 none {where}"
    through = [*_namespaces(), "sh", "-c", f'{mount} && exec "$@"', "sh"]
    if shutil.which("unshare") is None or subprocess.run([*through, "true"]).returncode:
        pytest.skip("this machine lets nobody mount a small disk for himself (unshare, mount)")
    with mother(*through) as made:
        yield made, where
    where.rmdir()


def test_a_full_disk_is_a_503_and_passes_when_there_is_space(
    small_disk: tuple[Mother, Path], tmp_path: Path
) -> None:
    """What was acknowledged stays, what was not is recorded once when it is sent again."""
    made, disk = small_disk
    with made.serving(tmp_path) as serve:
        process = serve(data=disk / "data")
        crowd = Crowd(lambda: process.address, process.admin)
        assert _record(crowd, "before", 5) == [201] * 5
        made.fill(disk / "filler")
        statuses = _record(crowd, "full", 200)
        print(f"{statuses.count(201)} recorded before the disk was found full")
        assert set(statuses) <= {201, 503}
        assert statuses[-1] == 503, "the disk is not full"
        assert _record(crowd, "still", 3)[-1] == 503
        made.free(disk / "filler")
        freed = time.monotonic()
        while _record(crowd, f"again-{time.monotonic_ns()}", 1) != [201]:
            assert time.monotonic() < freed + BACK_SECONDS_MAX, process.lines.read_text()
            time.sleep(0.05)
        print(f"first 201 {time.monotonic() - freed:.2f} s after there was space")
        crowd.ask_again()
        positions = sorted(one.position or 0 for one in crowd.asked)
        assert positions == list(range(positions[0], positions[0] + len(crowd.asked)))
        ready = httpx.get(f"{process.address}/health/ready", trust_env=False)
        assert ready.json()["position"] == positions[-1]


def _record(crowd: Crowd, name: str, times: int) -> list[int]:
    """Sends new requests one after the other, until one is not accepted; how each was answered."""
    statuses: list[int] = []
    with httpx.Client(timeout=60, trust_env=False) as client:
        for number in range(times):
            crowd.asked.append(Asked(f"{name}-{number}"))
            crowd.send(client, crowd.asked[-1])
            statuses += crowd.asked[-1].statuses
            if statuses[-1] != 201:
                break
    return statuses
