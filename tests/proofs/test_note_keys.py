"""Keys: their texts, their kinds, and what they never tell."""

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from hypothesis import given, settings
from hypothesis import strategies as st

import golden_log
from edited import edited
from ledger.proof import key_kinds
from ledger.proof.key_kinds import Kind
from ledger.proof.note import NoteError, Signer, Verifier, format_note, key_id_of, open_note
from ledger.proof.wire import base64_of

HOW = settings(max_examples=200, deadline=None, derandomize=True)
SEED = bytes(range(32))
TEXT = "ledger.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
KINDS = list(Kind)
SIGNATURE_BYTES = {
    Kind.ED25519: 64,
    Kind.ED25519_COSIGNATURE: 8 + 64,
    Kind.MLDSA44_COSIGNATURE: 8 + 2420,
}


def signer_of(kind: Kind) -> Signer:
    """A key that is the same every time."""
    return Signer("ledger.example", kind, SEED)


def time_of(kind: Kind) -> int:
    """A time where the kind signs one."""
    return 1_700_000_000 if kind.dated else 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_is_read_from_its_texts(kind: Kind) -> None:
    """The private text makes the signer again, the public one the verifier."""
    signer = signer_of(kind)
    again = Signer.from_text(signer.private_text)
    assert (again.private_text, again.vkey, again.kind) == (signer.private_text, signer.vkey, kind)
    verifier = Verifier.from_vkey(signer.vkey)
    assert (verifier.name, verifier.key_id) == (signer.name, signer.key_id)
    assert (verifier.kind, verifier.vkey) == (kind, signer.vkey)
    assert len(verifier.public) == kind.public_bytes
    assert verifier.verifies(TEXT, again.sign(TEXT, time_of(kind)))


def test_one_seed_gives_each_kind_an_id_of_its_own() -> None:
    """So that a signature of one kind is never taken for one of another."""
    signers = [signer_of(kind) for kind in KINDS]
    assert len({signer.key_id for signer in signers}) == len(KINDS)
    raw = format_note(TEXT, [one.signature(TEXT, time_of(one.kind)) for one in signers])
    assert len(open_note(raw, [one.verifier for one in signers])[1]) == len(KINDS)
    for one in signers:
        assert [found.key_id for found in open_note(raw, [one.verifier])[1]] == [one.key_id]


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_is_of_its_size_and_of_nothing_else(kind: Kind) -> None:
    """Changed, shortened, lengthened or of another text, it does not verify."""
    signer = signer_of(kind)
    verifier = signer.verifier
    signature = signer.sign(TEXT, time_of(kind))
    assert len(signature) == SIGNATURE_BYTES[kind]
    assert verifier.verifies(TEXT, signature)
    for wrong in (b"", signature[:8], signature[:-1], signature + b"\0", signature[1:]):
        assert not verifier.verifies(TEXT, wrong)
    for at in (0, 7, 8, len(signature) - 1):
        flipped = bytearray(signature)
        flipped[at] ^= 1
        assert not verifier.verifies(TEXT, bytes(flipped))
    for text in (TEXT.replace("\n0\n", "\n1\n"), TEXT[:-1], "", "\ud800\n"):
        assert not verifier.verifies(text, signature)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_key_is_a_new_key(kind: Kind) -> None:
    """Two keys of one name are told apart."""
    one, other = (Signer.generate("ledger.example", kind) for _ in range(2))
    assert one.vkey != other.vkey
    assert one.key_id == key_id_of("ledger.example", kind, one.verifier.public)


@pytest.mark.parametrize("kind", KINDS)
def test_verifiers_are_the_same_where_their_keys_are(kind: Kind) -> None:
    """Two copies of one key are one key; the size of a key is its kind's."""
    signer = signer_of(kind)
    assert {signer.verifier, Verifier.from_vkey(signer.vkey)} == {signer.verifier}
    assert signer.verifier != Signer.generate("ledger.example", kind).verifier
    assert signer.verifier != signer.vkey
    for wrong in (b"", signer.verifier.public[1:], signer.verifier.public + b"\0"):
        with pytest.raises(NoteError):
            Verifier("ledger.example", kind, wrong)
    for short in (b"", SEED[1:], SEED + b"\0"):
        with pytest.raises(NoteError):
            Signer("ledger.example", kind, short)


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_prints_nothing_secret(kind: Kind) -> None:
    """Neither in a log nor in a traceback."""
    signer = signer_of(kind)
    assert repr(signer) == f"Signer(ledger.example+{signer.key_id.hex()})"
    assert repr(signer.verifier) == f"Verifier(ledger.example+{signer.key_id.hex()})"


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "a\n", "a\x1f", "\ud800"])
def test_a_name_that_makes_no_line_makes_no_key(name: str) -> None:
    """A signature in its name could not be read."""
    with pytest.raises(NoteError):
        Verifier(name, Kind.ED25519, SEED)
    with pytest.raises(NoteError):
        Signer.generate(name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PRIVATE+KEY+",
        "PRIVATE+KEY+a",
        "PRIVATE+KEY+a+00000000",
        "PRIVATE+KEY+a+00000000+",
        "PRIVATE+KEY+a+00000000+" + base64_of(bytes((1, *SEED))),
        "PRIVATE+KEY+a+00000000+" + base64_of(bytes((2, *SEED))),
        "PRIVATE+KEY+a+00000000+" + base64_of(bytes((1, *SEED[1:]))),
        f"{golden_log.PRIVATE_TEXT}\n",
        f" {golden_log.PRIVATE_TEXT}",
        golden_log.PRIVATE_TEXT.replace("33d7b496", "33D7B496"),
        golden_log.VKEY,
    ],
    ids=range(12),
)
def test_a_text_that_is_no_private_key_is_refused_without_repeating_it(text: str) -> None:
    """A mistyped key is still a secret."""
    with pytest.raises(NoteError) as refused:
        Signer.from_text(text)
    assert base64_of(SEED)[:8] not in str(refused.value)
    assert "eymY" not in str(refused.value)


@HOW
@given(edited(*(signer_of(kind).vkey.encode() for kind in KINDS)))
def test_any_text_is_refused_or_is_the_only_spelling_of_its_key(raw: bytes) -> None:
    """No two texts are one key, and a change is found by the id."""
    text = raw.decode("utf-8", "surrogateescape")
    try:
        verifier = Verifier.from_vkey(text)
    except NoteError:
        return
    assert verifier.vkey == text
    assert text in {signer_of(kind).vkey for kind in KINDS}


@HOW
@given(st.text() | st.text(alphabet="PRIVATE+KEYa0=\n"))
def test_any_text_is_refused_as_a_private_key(text: str) -> None:
    """There is one error for everything that is no key."""
    for tried in (text, f"PRIVATE+KEY+{text}"):
        with pytest.raises(NoteError):
            Signer.from_text(tried)


def test_a_key_signs_no_time_that_is_not_its_business() -> None:
    """A note's key signs none, a witness's Ed25519 key always one, ML-DSA-44 as it is told."""
    with pytest.raises(NoteError, match="signs no time"):
        signer_of(Kind.ED25519).sign(TEXT, 1)
    with pytest.raises(NoteError, match="only with the time"):
        signer_of(Kind.ED25519_COSIGNATURE).sign(TEXT)
    log = signer_of(Kind.MLDSA44_COSIGNATURE)
    assert log.verifier.signed_at(log.sign(TEXT)) is None
    assert log.verifier.signed_at(log.sign(TEXT, 5)) == 5
    plain = signer_of(Kind.ED25519)
    assert plain.verifier.signed_at(plain.sign(TEXT)) is None
    with pytest.raises(NoteError, match="no time"):
        log.verifier.signed_at(b"short")


@pytest.mark.parametrize("kind", [Kind.ED25519_COSIGNATURE, Kind.MLDSA44_COSIGNATURE])
def test_a_time_in_the_future_is_refused_where_the_reader_says_what_is_now(kind: Kind) -> None:
    """The reader's clock decides; without one, any time is taken."""
    signer = signer_of(kind)
    raw = format_note(TEXT, [signer.signature(TEXT, 1_000)])
    for not_after in (None, 1_000, 2_000):
        assert len(open_note(raw, [signer.verifier], not_after=not_after)[1]) == 1
    with pytest.raises(NoteError, match="future"):
        open_note(raw, [signer.verifier], not_after=999)


@pytest.mark.parametrize("timestamp", [-1, 2**63, 2**64])
def test_a_time_that_no_cosignature_can_have_is_not_signed(timestamp: int) -> None:
    """From 1970 on, in 63 bits."""
    for kind in (Kind.ED25519_COSIGNATURE, Kind.MLDSA44_COSIGNATURE):
        with pytest.raises(NoteError, match="does not sign"):
            signer_of(kind).sign(TEXT, timestamp)


def test_an_openssl_without_ml_dsa_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names such a key there learns why it cannot be used, and what to do."""
    vkey = signer_of(Kind.MLDSA44_COSIGNATURE).vkey
    private = signer_of(Kind.MLDSA44_COSIGNATURE).private_text

    class Lacking:
        @staticmethod
        def refuse(_: bytes) -> None:
            raise UnsupportedAlgorithm("ML-DSA-44 is not supported by this backend.")

        from_seed_bytes = from_public_bytes = refuse

    monkeypatch.setattr(key_kinds, "MLDSA44PublicKey", Lacking)
    monkeypatch.setattr(key_kinds, "MLDSA44PrivateKey", Lacking)
    with pytest.raises(NoteError, match="has no ML-DSA-44"):
        Verifier.from_vkey(vkey)
    with pytest.raises(NoteError, match="Install the locked requirements"):
        Signer.from_text(private)
