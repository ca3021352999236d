"""The key ring: made once, durable, private, refused when anything about its files is wrong."""

import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.personal.key_files import KeyFileError
from ledger.personal.keyring import KEY_BYTES, KEY_NAMES, KeyName, KeyRing, KeyUnwrapError


def keys_in(directory: Path) -> dict[str, bytes]:
    """Every file of the directory with its bytes."""
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_the_first_start_makes_three_private_keys_and_the_second_uses_them(tmp_path: Path) -> None:
    """Each key is 32 different random bytes in a 0600 file of a 0700 directory, made once."""
    directory = tmp_path / "data" / "keys"
    wrapped = KeyRing.open(directory).wrap("subject", b"k" * 32)
    made = keys_in(directory)
    assert sorted(made) == sorted(KEY_NAMES)
    assert all(len(key) == KEY_BYTES for key in made.values())
    assert len(set(made.values())) == len(KEY_NAMES)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}
    assert KeyRing.open(directory).unwrap("subject", wrapped) == b"k" * 32
    assert keys_in(directory) == made


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_the_modes_do_not_depend_on_the_umask(tmp_path: Path, umask: int) -> None:
    """A careless or an over-careful umask changes neither who can read a key nor whether we can."""
    before = os.umask(umask)
    try:
        KeyRing.open(tmp_path)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610])
@pytest.mark.parametrize("name", KEY_NAMES)
def test_a_key_that_others_can_reach_is_refused(tmp_path: Path, name: str, mode: int) -> None:
    """The error says which file, its mode, and what to run; it says nothing of the key."""
    KeyRing.open(tmp_path)
    (tmp_path / name).chmod(mode)
    with pytest.raises(KeyFileError, match=f"{name} has mode {mode:04o}.*chmod 600"):
        KeyRing.open(tmp_path)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_of_another_size_is_refused(tmp_path: Path, size: int) -> None:
    """A cut or a longer file is never padded, cut or replaced."""
    KeyRing.open(tmp_path)
    (tmp_path / "hmac").write_bytes(b"\x07" * size)
    with pytest.raises(KeyFileError, match=f"hmac has {size} bytes instead of 32"):
        KeyRing.open(tmp_path)
    assert (tmp_path / "hmac").read_bytes() == b"\x07" * size


@pytest.mark.parametrize("name", KEY_NAMES)
def test_a_lost_key_is_not_replaced_by_a_new_one(tmp_path: Path, name: str) -> None:
    """A new key beside old ones would only hide that the old one is gone."""
    KeyRing.open(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(KeyFileError, match=f"{name} is missing.*restore"):
        KeyRing.open(tmp_path)
    assert not (tmp_path / name).exists()


def test_a_key_that_is_a_link_a_directory_or_a_pipe_is_refused(tmp_path: Path) -> None:
    """In the data directory a key is a plain file, and nothing blocks on anything else."""
    KeyRing.open(tmp_path)
    kek = tmp_path / "kek"
    kek.rename(tmp_path / "elsewhere")
    kek.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyFileError, match="cannot be opened"):
        KeyRing.open(tmp_path)
    kek.unlink()
    kek.mkdir()
    with pytest.raises(KeyFileError, match="no plain file"):
        KeyRing.open(tmp_path)
    kek.rmdir()
    os.mkfifo(kek, 0o600)
    with pytest.raises(KeyFileError, match="no plain file"):
        KeyRing.open(tmp_path)


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_directory_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    """Who can write there can put a key of theirs in place of ours."""
    tmp_path.chmod(mode)
    with pytest.raises(KeyFileError, match=f"mode {mode:04o}.*chmod 700"):
        KeyRing.open(tmp_path)
    assert keys_in(tmp_path) == {}


def test_a_place_where_no_keys_can_be_is_refused_by_name(tmp_path: Path) -> None:
    """A file in the directory's place is said, not thrown."""
    (tmp_path / "keys").write_text("")
    with pytest.raises(KeyFileError, match="keys can be neither read nor made"):
        KeyRing.open(tmp_path / "keys")


@pytest.mark.parametrize("named", range(len(KEY_NAMES) + 1))
def test_a_first_start_cut_between_the_renames_is_completed(tmp_path: Path, named: int) -> None:
    """Wherever the crash falls among the renames, the next start uses the very same keys."""
    KeyRing.open(tmp_path)
    made = keys_in(tmp_path)
    for name in KEY_NAMES[named:]:
        (tmp_path / name).rename(tmp_path / f"{name}.new")
    KeyRing.open(tmp_path)
    after = keys_in(tmp_path)
    assert sorted(after) == sorted(KEY_NAMES)
    assert [after[name] == made[name] for name in KEY_NAMES[:named]] == [True] * named
    # With no key named, nothing was encrypted yet: fresh keys are as good and the only safe ones.
    assert (after == made) is (named > 0)


def test_a_first_start_cut_while_writing_starts_over(tmp_path: Path) -> None:
    """Half a key file without its name is rubbish, not a key."""
    (tmp_path / "kek.new").write_bytes(b"half")
    KeyRing.open(tmp_path)
    assert {len(key) for key in keys_in(tmp_path).values()} == {KEY_BYTES}


def test_two_first_starts_at_once_end_with_the_same_keys(tmp_path: Path) -> None:
    """Whoever comes second uses what the first made."""
    barrier = threading.Barrier(8)
    seen: list[bytes] = []

    def start() -> None:
        barrier.wait()
        seen.append(KeyRing.open(tmp_path).mac("probe"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(seen)) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files for somebody else")
def test_keys_that_root_makes_belong_to_the_owner_of_the_data_directory(tmp_path: Path) -> None:
    """A command that root ran first does not lock the service out of its own keys."""
    os.chown(tmp_path, 65534, 65534)
    KeyRing.open(tmp_path / "keys")
    made = [tmp_path / "keys", *(tmp_path / "keys").iterdir()]
    assert len(made) == 1 + len(KEY_NAMES)
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(65534, 65534)}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without rights")
def test_a_data_directory_below_one_that_may_not_be_listed_works(passable_dir: Path) -> None:
    """The service's user may pass through an ancestor without being able to open it."""
    data = passable_dir / f"below-{os.getpid()}"
    data.mkdir()
    os.chown(data, 65534, 65534)
    os.seteuid(65534)
    try:
        with pytest.raises(PermissionError):
            list(passable_dir.iterdir())
        KeyRing.open(data)
        assert sorted(keys_in(data)) == sorted(KEY_NAMES)
    finally:
        os.seteuid(0)


def test_a_key_given_by_setting_needs_no_file_and_makes_none(tmp_path: Path) -> None:
    """Hex digits or a mounted file take the place of the data directory's file."""
    mounted = tmp_path / "mounted"
    mounted.write_bytes(b"\x02" * 32)
    mounted.chmod(0o400)
    (tmp_path / "link").symlink_to(mounted)
    data = tmp_path / "data"
    given: dict[KeyName, str] = {"hmac": "01" * 32, "kek": str(tmp_path / "link")}
    ring = KeyRing.open(data, given=given)
    assert sorted(keys_in(data)) == ["kek-self-identification"]
    both = KeyRing(
        {"kek": b"\x02" * 32, "kek-self-identification": b"\x03" * 32, "hmac": b"\x01" * 32}
    )
    assert ring.mac("x") == both.mac("x")
    assert both.unwrap("subject", ring.wrap("subject", b"k" * 32)) == b"k" * 32
    untouched = tmp_path / "untouched"
    given["kek-self-identification"] = "03" * 32
    KeyRing.open(untouched, given=given)
    assert not untouched.exists()


@pytest.mark.parametrize(
    "text", ["", "secretsecret", "0g" * 32, "01" * 31, "01" * 33, " " + "01" * 32]
)
def test_a_wrong_setting_is_refused_without_being_repeated(tmp_path: Path, text: str) -> None:
    """A mistyped key is still nearly a key: the message names the setting only."""
    with pytest.raises(KeyFileError, match="HIRELEDGER_KEY_KEK is neither") as caught:
        KeyRing.open(tmp_path, given={"kek": text})
    assert text == "" or text not in str(caught.value)
    assert keys_in(tmp_path) == {}


def test_a_given_file_is_held_to_the_same_rules(tmp_path: Path) -> None:
    """A missing, readable or short file is refused by its path."""
    file = tmp_path / "mounted"
    with pytest.raises(KeyFileError, match="mounted cannot be opened"):
        KeyRing.open(tmp_path, given={"kek": str(file)})
    file.write_bytes(b"\x02" * 32)
    file.chmod(0o644)
    with pytest.raises(KeyFileError, match="mounted has mode 0644"):
        KeyRing.open(tmp_path, given={"kek": str(file)})
    file.chmod(0o600)
    file.write_bytes(b"\x02" * 16)
    with pytest.raises(KeyFileError, match="mounted has 16 bytes"):
        KeyRing.open(tmp_path, given={"kek": str(file)})


def test_a_ring_shows_nothing_of_its_keys() -> None:
    """A key ring that ends up in a log line or a traceback says only that it is one."""
    ring = KeyRing(dict.fromkeys(KEY_NAMES, b"A" * 32))
    assert "AAAA" not in f"{ring!r} {ring}"
    assert "41" * 4 not in f"{ring!r} {ring}"


def test_a_ring_of_short_keys_cannot_be_made() -> None:
    """A key of another size is refused however it came."""
    with pytest.raises(KeyFileError, match="`hmac` has 16 bytes"):
        KeyRing({"kek": b"1" * 32, "kek-self-identification": b"2" * 32, "hmac": b"3" * 16})


RING = KeyRing({"kek": b"1" * 32, "kek-self-identification": b"2" * 32, "hmac": b"3" * 32})


def test_a_wrapped_key_comes_back_from_its_ring() -> None:
    """40 bytes for 32, different in each ring."""
    wrapped = RING.wrap("subject", b"k" * 32)
    assert len(wrapped) == 40
    assert RING.unwrap("subject", wrapped) == b"k" * 32
    assert RING.wrap("self-identification", b"k" * 32) != wrapped


@given(st.integers(0, 40 * 8 - 1))
def test_a_wrapped_key_with_any_bit_changed_does_not_open(bit: int) -> None:
    """Each single bit of the 40 bytes counts."""
    wrapped = bytearray(RING.wrap("subject", b"k" * 32))
    wrapped[bit // 8] ^= 1 << bit % 8
    with pytest.raises(KeyUnwrapError, match="does not open"):
        RING.unwrap("subject", bytes(wrapped))


def test_a_key_of_one_ring_does_not_open_in_the_other() -> None:
    """Self-identification stays closed to whoever has only the usual key."""
    with pytest.raises(KeyUnwrapError, match="ring `subject`"):
        RING.unwrap("subject", RING.wrap("self-identification", b"k" * 32))
    with pytest.raises(KeyUnwrapError, match="ring `self-identification`"):
        RING.unwrap("self-identification", RING.wrap("subject", b"k" * 32))


@pytest.mark.parametrize("size", [0, 1, 8, 39, 41])
def test_a_wrapped_key_of_another_length_does_not_open(size: int) -> None:
    """A cut row is refused like a changed one."""
    with pytest.raises(KeyUnwrapError):
        RING.unwrap("subject", b"\x00" * size)


PARTS = st.lists(st.binary(max_size=12), max_size=4)


@given(st.text(max_size=8), PARTS, st.text(max_size=8), PARTS)
def test_different_inputs_have_different_macs(
    purpose: str, parts: list[bytes], other_purpose: str, other: list[bytes]
) -> None:
    """Purpose and parts cannot be cut anew to give the same value."""
    same = (purpose, parts) == (other_purpose, other)
    assert (RING.mac(purpose, *parts) == RING.mac(other_purpose, *other)) is same


def test_neighbouring_cuts_of_the_same_bytes_have_different_macs() -> None:
    """The cases that a plain concatenation would confuse."""
    cuts: list[tuple[str, list[bytes]]] = [
        ("ab", [b"c"]),
        ("a", [b"bc"]),
        ("a", [b"b", b"c"]),
        ("abc", []),
        ("abc", [b""]),
    ]
    assert len({RING.mac(purpose, *parts) for purpose, parts in cuts}) == len(cuts)
