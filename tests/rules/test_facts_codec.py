"""Facts as bytes and back: the same fact, the same bytes, and nothing that must not be stored."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import cast

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

import story as s
import story_later as later
from arbitrary import facts, struct
from domain import facts as f
from domain.codec import ALL_FACTS, LeafTooLarge, UnreadableLeaf, decode, encode, type_of
from domain.values import (
    LEAF_BYTES_MAX,
    Digest,
    Unsealed,
    content_digest,
    count_words,
    is_handle,
    make_handle,
    plain_text,
    private,
    private_or_none,
)

NAIVE = s.NOW.replace(tzinfo=None)
SLOW = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(facts())
def test_any_fact_is_read_back_as_it_was_written(fact: f.AnyFact) -> None:
    """Whatever its type allows, its bytes give the same fact, and that gives the same bytes."""
    leaf = encode(fact)
    again = decode(leaf)
    assert again == fact
    assert type(again) is type(fact)
    assert encode(again) == leaf


@pytest.mark.parametrize("kind", ALL_FACTS, ids=lambda kind: kind.__name__)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_kind_of_fact_is_read_back(kind: type[f.AnyFact], data: st.DataObject) -> None:
    """Each fact type is drawn, also those that chance would rarely meet."""
    fact = data.draw(facts(kind))
    leaf = encode(fact)
    assert decode(leaf) == fact
    assert json.loads(leaf)["type"] == type_of(kind)


@SLOW
@given(st.dictionaries(st.text(max_size=3), st.integers(), max_size=4), st.randoms())
def test_the_order_in_which_a_mapping_was_filled_does_not_show(
    members: dict[str, int], random: Random
) -> None:
    """The same fact always has the same bytes."""
    shuffled = list(members.items())
    random.shuffle(shuffled)
    setting = f.PolicySetting(id="feedback-on-time", enforcement="warn", params={**members})
    other = replace(setting, params=dict(shuffled))
    assert encode_set(setting) == encode_set(other)


def encode_set(setting: f.PolicySetting) -> bytes:
    """A policy set with this setting, its codes made valid by a prefix."""
    params = {f"a{key.encode().hex()}": value for key, value in setting.params.items()}
    return encode(replace(s.POLICY_SET_ADOPTED, policies=(replace(setting, params=params),)))


def test_the_position_is_not_in_the_bytes() -> None:
    """A leaf's index in the tree says where it stands."""
    assert b"position" not in encode(later.DEBRIEF_OPENED)


def holding(value: object, digest: Digest) -> Iterator[object]:
    """The value once for each digest in it, with `digest` in that one's place."""
    if isinstance(value, Digest):
        yield digest
    elif isinstance(value, Struct):
        for name in value.__struct_fields__:
            for changed in holding(getattr(value, name), digest):
                yield replace(value, **{name: changed})
    elif isinstance(value, tuple):
        items = cast("tuple[object, ...]", value)
        for at, one in enumerate(items):
            for changed in holding(one, digest):
                yield (*items[:at], changed, *items[at + 1 :])
    elif isinstance(value, dict):
        members = cast("dict[object, object]", value)
        for key, one in members.items():
            for changed in holding(one, digest):
                yield {**members, key: changed}


@SLOW
@given(facts())
def test_a_fact_with_unsealed_words_anywhere_is_never_encoded(fact: f.AnyFact) -> None:
    """Wherever a personal value may stand, one still in the clear stops the fact."""
    for unsealed in holding(fact, private("Ana said so", s.ANA)):
        with pytest.raises(TypeError, match="_Plaintext"):
            encode(cast("f.AnyFact", unsealed))


def test_unsealed_words_are_never_shown() -> None:
    """Neither printing a draft nor a traceback with its values shows what was said."""
    shown = repr(private("Ana said so", s.ANA))
    assert "Ana" not in shown
    assert "said" not in shown


def test_unsealed_words_are_compared_and_hashed_by_what_they_say() -> None:
    """Drafts of the same command are equal; words about someone else are other words."""
    assert private("so", s.ANA) == private("so", s.ANA)
    assert hash(private("so", s.ANA)) == hash(private("so", s.ANA))
    assert private("so", s.ANA) != private("so", s.BEN)
    assert private("so", s.ANA) != private("not", s.ANA)


def test_words_can_be_read_until_they_are_sealed() -> None:
    """Rules that read text judge it on arrival; a replay sees digests only."""
    assert plain_text(private("so", s.ANA)) == "so"
    assert plain_text(s.said("so", s.ANA)) is None
    assert plain_text(None) is None
    assert private_or_none(None, s.ANA) is None
    assert isinstance(private_or_none("so", s.ANA), Unsealed)


def test_a_leaf_has_at_most_65535_bytes() -> None:
    """One byte more is refused, with its size; up to there it is stored."""
    assert len(encode(long_posting(LEAF_BYTES_MAX))) == LEAF_BYTES_MAX
    with pytest.raises(LeafTooLarge, match="65536 bytes; a leaf holds at most 65535"):
        encode(long_posting(LEAF_BYTES_MAX + 1))


def long_posting(size: int) -> f.AnyFact:
    """A posting of exactly so many bytes: its many expectations are long, the last fills it up."""

    def posting(last: str) -> f.AnyFact:
        words = ["w" * 3900] * 16 + [last]
        told = tuple(f.Expectation(competency="framing", text=text) for text in words)
        content = replace(s.POSTING_CONTENT, expectations=told)
        return replace(s.POSTING_VERSIONED, content=content)

    return posting("x" * (size - len(msgspec.json.encode(posting("")))))


@pytest.mark.parametrize(
    ("fact", "where"),
    [
        (replace(later.RECOMMENDED, gate=0), "$.gate"),
        (replace(s.LOOP_OPENED, loop="loop-7"), "$.loop"),
        (replace(later.FEEDBACK_VIEWED, viewer="system"), "$.viewer"),
        (replace(s.LOOP_OPENED, stamp=replace(s.LOOP_OPENED.stamp, by="Ana")), "$.stamp.by"),
        (replace(later.DECISION_MADE, reasons=()), "$.reasons"),
        (
            replace(s.LOOP_OPENED, stamp=replace(s.LOOP_OPENED.stamp, at=NAIVE)),
            "$.stamp.at",
        ),
    ],
    ids=["position", "handle", "viewer", "author", "too-few", "naive-time"],
)
def test_a_fact_that_nobody_could_read_again_is_never_written(fact: f.AnyFact, where: str) -> None:
    """A draft that breaks its own type stops before the log, and the message repeats no value."""
    with pytest.raises(UnreadableLeaf) as refused:
        encode(fact)
    assert str(refused.value) == f"a {type_of(fact)} breaks its own type at {where}"
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    "leaf",
    [
        b"",
        b"{}",
        b'{"type":"loop-opened.v2"}',
        b'{"type":"loop-opened.v1"}',
        encode(later.DEBRIEF_OPENED).replace(b'"loop":', b'"extra":1,"loop":'),
        encode(later.DEBRIEF_OPENED).replace(b"2026-03-09T12:00:00Z", b"2026-03-09T12:00:00"),
        encode(later.DEBRIEF_OPENED)[:-1],
    ],
    ids=["empty", "untyped", "unknown-type", "missing", "extra", "naive", "cut"],
)
def test_bytes_that_are_no_fact_are_refused(leaf: bytes) -> None:
    """The vocabulary is closed: nothing is guessed, nothing unknown is passed over."""
    with pytest.raises(msgspec.MsgspecError):
        decode(leaf)


@SLOW
@given(struct(f.ScorecardContent), struct(f.ScorecardContent))
def test_content_has_one_digest_and_other_content_another(one: Struct, other: Struct) -> None:
    """What three people approve is told apart by its digest, and only by what it says."""
    again = msgspec.convert(msgspec.to_builtins(one), type(one))
    assert content_digest(again) == content_digest(one)
    assert (content_digest(other) == content_digest(one)) == (other == one)


@given(st.binary(min_size=16, max_size=16), st.sampled_from("cpl"))
def test_a_handle_is_made_of_sixteen_random_bytes(entropy: bytes, kind: str) -> None:
    """It is recognised as one of ours, and by no suffix, prefix or line break."""
    handle = make_handle(kind, entropy)
    assert is_handle(handle)
    assert len(handle) == 28
    assert not any(is_handle(other) for other in (handle + "\n", " " + handle, handle[:-1]))


def test_words_are_counted_in_any_script() -> None:
    """The count is kept when the words are gone."""
    assert count_words("") == 0
    assert count_words("Sie maß zuerst, dann riet sie.") == 6
    assert count_words("…—!") == 0


def test_times_of_any_zone_keep_their_zone() -> None:
    """What was claimed in another zone is stored as claimed."""
    told = datetime.fromisoformat("2026-03-09T18:30:00+05:30")
    fact = replace(s.LOOP_OPENED, stamp=replace(s.LOOP_OPENED.stamp, at=told))
    assert b'"at":"2026-03-09T18:30:00+05:30"' in encode(fact)
    assert decode(encode(fact)).stamp.at.astimezone(UTC) == told
