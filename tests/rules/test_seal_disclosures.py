"""Sealing: personal values leave a fact, digests take their place, and each can be proven."""

import base64
import hashlib
import json
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from domain.values import Digest, private, private_or_none
from ledger.proof.disclosure import (
    DISCLOSURE_CHARACTERS_MAX,
    DisclosureError,
    digest_of,
    read_disclosure,
)
from ledger.seal import SealingError, seal

CANDIDATE = "c_" + "a" * 26
PERSON = "p_" + "b" * 26
SALT = bytes(range(16))


class Note(Struct, frozen=True, kw_only=True, rename={"text": "the~text"}, omit_defaults=True):
    """A part with a renamed personal field and a default before it."""

    kind: str = "plain"
    text: Digest
    aside: Digest | None = None


class Told(Struct, frozen=True, kw_only=True, tag_field="type", tag="told.v1"):
    """A fact with personal values in every place that a fact can have one."""

    title: str = ""
    notes: Annotated[tuple[Note, ...], Meta(max_length=20)] = ()
    by_topic: dict[str, Note | Digest] = {}
    loose: list[Digest] = []
    summary: Digest | None = None


class SelfIdentified(
    Struct, frozen=True, kw_only=True, tag_field="type", tag="self-identification-recorded.v1"
):
    """Stands for the fact whose values belong to the ring of self-identification."""

    sex: Digest | None = None


class Plain(Struct, frozen=True, kw_only=True, tag_field="type", tag="plain.v1"):
    """A fact that cannot hold anything personal."""

    codes: tuple[str, ...] = ()


class Remark(Struct, frozen=True, kw_only=True):
    """A part that holds others of its own type."""

    text: Digest | None = None
    replies: tuple["Remark", ...] = ()


class Listed(Struct, frozen=True, array_like=True):
    """Encoded as an array, so that its field's name never stands in the leaf."""

    text: Digest


def resolve(leaf: Any, pointer: str) -> object:
    """What stands at an RFC 6901 pointer."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        leaf = leaf[int(name) if isinstance(leaf, list) else name]
    return leaf


@st.composite
def told(draw: st.DrawFn) -> tuple[Told, list[str]]:
    """A fact and the personal values in it, in the order of the leaf."""
    words: list[str] = []

    def fresh() -> Digest:
        words.append(draw(st.text()))
        return private(words[-1], draw(st.sampled_from([CANDIDATE, PERSON, "organisation"])))

    def note() -> Note:
        return Note(text=fresh(), aside=fresh() if draw(st.booleans()) else None)

    notes = tuple(note() for _ in range(draw(st.integers(0, 3))))
    topics = draw(st.lists(st.text(), unique=True, max_size=3))
    by_topic = {topic: note() if draw(st.booleans()) else fresh() for topic in topics}
    loose = [fresh() for _ in range(draw(st.integers(0, 2)))]
    summary = fresh() if draw(st.booleans()) else None
    return Told(notes=notes, by_topic=by_topic, loose=loose, summary=summary), words


def test_the_vector_of_rfc_9901_has_its_printed_digest() -> None:
    """RFC 9901 section 4.2.3: a foreign disclosure hashes and reads as its specification says."""
    disclosure = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
    assert digest_of(disclosure) == "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"
    assert read_disclosure(disclosure) == ("_26bc4LT-ac6q2KI6cBW5es", "family_name", "Möbius")


def test_a_disclosure_is_byte_for_byte_what_the_format_says() -> None:
    """With a fixed salt, an independent computation gives the same disclosure and digest."""
    fact, (one,) = seal(Told(summary=private("Möbius / ~", CANDIDATE)), lambda n: SALT[:n])
    array = '["AAECAwQFBgcICQoLDA0ODw","/summary","Möbius / ~"]'.encode()
    assert one.disclosure == base64.urlsafe_b64encode(array).decode().rstrip("=")
    digest = hashlib.sha256(one.disclosure.encode("ascii")).digest()
    assert one.digest == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert fact.summary == Digest(sd=one.digest)
    assert (one.subject, one.ring) == (CANDIDATE, "subject")


@given(told())
def test_every_pointer_leads_to_its_digest_and_every_disclosure_to_its_words(
    case: tuple[Told, list[str]],
) -> None:
    """For any text in any place, the leaf holds the digest at the pointer, and nothing is lost."""
    fact, words = case
    sealed_fact, sealed = seal(fact)
    leaf = json.loads(msgspec.json.encode(sealed_fact))
    opened = [read_disclosure(one.disclosure) for one in sealed]
    assert [resolve(leaf, o.pointer) for o in opened] == [{"_sd": one.digest} for one in sealed]
    assert [o.value for o in opened] == words
    assert [digest_of(one.disclosure) for one in sealed] == [one.digest for one in sealed]
    assert len({o.pointer for o in opened}) == len({o.salt for o in opened}) == len(words)
    assert json.dumps(leaf).count('"_sd"') == len(words)


def test_sealing_again_finds_nothing_and_copies_nothing() -> None:
    """A sealed fact, and a fact without personal fields, come back as the very same object."""
    sealed_fact, sealed = seal(Told(notes=(Note(text=private("calm", PERSON)),)))
    assert len(sealed) == 1
    for fact in (sealed_fact, Plain(codes=("a",)), Told()):
        again, more = seal(fact)
        assert again is fact
        assert more == []


def test_a_fact_that_still_holds_words_cannot_be_encoded() -> None:
    """Forgetting to seal fails before a byte is stored."""
    with pytest.raises(TypeError, match="unsupported"):
        msgspec.json.encode(Told(summary=private("secret", CANDIDATE)))


def test_self_identification_gets_a_ring_and_a_key_of_its_own() -> None:
    """By its fact's type, or by its subject inside another fact such as an imported record."""
    named = "self-identification:" + CANDIDATE
    _, by_type = seal(SelfIdentified(sex=private("x", CANDIDATE)))
    _, by_both = seal(SelfIdentified(sex=private("x", named)))
    _, by_subject = seal(Told(summary=private("x", named), loose=[private("y", CANDIDATE)]))
    owners = [(one.subject, one.ring) for one in (*by_type, *by_both, *by_subject)]
    special = (named, "self-identification")
    assert owners == [special, special, (CANDIDATE, "subject"), special]


def test_a_part_within_its_own_kind_is_sealed_too() -> None:
    """However deep it lies, a value is found, and the pointer says how deep."""
    fact = Remark(replies=(Remark(), Remark(replies=(Remark(text=private("deep", PERSON)),))))
    _, (one,) = seal(fact)
    assert read_disclosure(one.disclosure)[1:] == ("/replies/1/replies/0/text", "deep")


def test_absent_values_stay_absent() -> None:
    """An optional value that was not given leaves no digest that would say so."""
    fact, sealed = seal(Told(summary=private_or_none(None, CANDIDATE)))
    assert (fact.summary, sealed) == (None, [])


def test_half_a_surrogate_pair_is_refused_without_its_words() -> None:
    """The refusal names the place; neither it nor its causes carry the text on."""
    with pytest.raises(SealingError, match="at /loose/1 holds half a surrogate") as caught:
        seal(Told(loose=[private("fine", CANDIDATE), private("secret \ud800", CANDIDATE)]))
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("subject", ["", "mara@example.org", "c_1", "self-identification:mara"])
def test_a_subject_that_is_no_handle_is_refused_unseen(subject: str) -> None:
    """A caller's id would stand in the clear beside the ciphertext."""
    with pytest.raises(SealingError, match="neither a handle nor") as caught:
        seal(Told(summary=private("words", subject)))
    assert "mara" not in str(caught.value)


def test_a_struct_without_member_names_is_refused() -> None:
    """Its values would have no pointer; a fact of that shape must fail in its first test."""
    with pytest.raises(TypeError, match="Listed is encoded as an array"):
        seal(Listed(private("words", CANDIDATE)))


GOOD = seal(Told(summary=private("words", CANDIDATE)), lambda n: SALT[:n])[1][0].disclosure


def encoded(plain: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(plain).decode().rstrip("=")


@pytest.mark.parametrize(
    "disclosure",
    [
        pytest.param("", id="empty"),
        pytest.param(GOOD + "=", id="padding"),
        pytest.param(GOOD + "\n", id="newline"),
        pytest.param(" " + GOOD, id="space"),
        pytest.param(GOOD[:-1], id="cut by one"),
        pytest.param(GOOD + "A", id="one more"),
        pytest.param(GOOD + "é", id="beyond ascii"),
        pytest.param(encoded(b'["a","b","c"]')[:-1] + "R", id="trailing bits not zero"),
        pytest.param("WyI-IiwiIiwiPyJd".replace("-", "+"), id="standard alphabet"),
        pytest.param(encoded(b'["a","b"]'), id="two texts"),
        pytest.param(encoded(b'["a","b","c","d"]'), id="four texts"),
        pytest.param(encoded(b'["a","b",1]'), id="number"),
        pytest.param(encoded(b'{"a":"b"}'), id="object"),
        pytest.param(encoded(b'["a","b","\xff"]'), id="invalid utf-8"),
        pytest.param(encoded(b'["a","b","c"] x'), id="trailing data"),
        pytest.param(encoded(b"[" * 100_000), id="nested brackets"),
        pytest.param("A" * (DISCLOSURE_CHARACTERS_MAX + 1), id="too long"),
    ],
)
def test_what_is_no_disclosure_is_refused_with_one_error(disclosure: str) -> None:
    """Malformed input of any kind gives `DisclosureError`, never a raw exception."""
    with pytest.raises(DisclosureError):
        read_disclosure(disclosure)


def test_the_museum_differs_from_what_is_accepted() -> None:
    """The good neighbours of the bad ones read well, so each is refused for its own fault."""
    assert read_disclosure(GOOD) == ("AAECAwQFBgcICQoLDA0ODw", "/summary", "words")
    assert read_disclosure(encoded(b'["a","b","c"]')) == ("a", "b", "c")
    assert read_disclosure("WyI-IiwiIiwiPyJd") == (">", "", "?")


def test_a_digest_is_taken_of_ascii_only() -> None:
    """Text beyond ASCII is refused as a disclosure, not as an encoding accident."""
    with pytest.raises(DisclosureError, match="beyond ASCII"):
        digest_of("é")
