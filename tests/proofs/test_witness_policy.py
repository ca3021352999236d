"""Policies: the grammar, what is refused by its line, and who is a quorum."""

import itertools
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import golden_log
from edited import edited
from ledger.proof.key_kinds import Kind
from ledger.proof.note import Signer, format_note, open_note, parse_note
from ledger.proof.witness_policy import (
    POLICY_BYTES_MAX,
    PolicyError,
    PolicyGroup,
    WitnessPolicy,
    parse_policy,
)

HOW = settings(max_examples=150, deadline=None, derandomize=True)
LOG = golden_log.VKEY


def witness_key(number: int, kind: Kind = Kind.ED25519_COSIGNATURE) -> Signer:
    """The key of a made-up witness."""
    return Signer(f"w{number}.example", kind, bytes([number]) * 32)


KEYS = [witness_key(number).vkey for number in range(6)]
EXAMPLE = f"""\
# The policy of the specification: two organisations.
log {LOG}

witness X1 {KEYS[0]}
witness X2 {KEYS[1]} https://x2.example/witness
\twitness\tX3   {KEYS[2]}\t
group X-witnesses 2 X1 X2 X3

witness Y1 {KEYS[3]}
witness Y2 {KEYS[4]}
  # and the third
witness Y3 {KEYS[5]}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def read(text: str) -> WitnessPolicy:
    """A policy from its text."""
    return parse_policy(text.encode())


def test_the_policy_of_the_specification_is_read() -> None:
    """Logs, witnesses with and without a URL, groups of groups, blanks and comments."""
    policy = read(EXAMPLE)
    assert [(one.verifier.vkey, one.url) for one in policy.logs] == [(LOG, None)]
    assert [one.name for one in policy.witnesses] == ["X1", "X2", "X3", "Y1", "Y2", "Y3"]
    assert [one.verifier.vkey for one in policy.witnesses] == KEYS
    assert policy.witnesses[1].url == "https://x2.example/witness"
    assert policy.groups == (
        PolicyGroup("X-witnesses", 2, ("X1", "X2", "X3")),
        PolicyGroup("Y-witnesses", 1, ("Y1", "Y2", "Y3")),
        PolicyGroup("X-and-Y", 2, ("X-witnesses", "Y-witnesses")),
    )
    assert policy.quorum == "X-and-Y"
    assert policy == read(EXAMPLE)
    assert policy != read(EXAMPLE.replace(KEYS[0], witness_key(9).vkey))


@pytest.mark.parametrize(
    ("cosigned", "enough"),
    [
        ("", False),
        ("X1 X2", False),
        ("Y1 Y2 Y3", False),
        ("X1 Y1", False),
        ("X1 X2 Y1", True),
        ("X3 X1 Y3", True),
        ("X1 X2 X3 Y1 Y2 Y3", True),
        ("X1 X1 Y1", False),
        ("X-and-Y", False),
        ("X-witnesses Y-witnesses", False),
        ("x1 x2 y1", False),
    ],
)
def test_a_quorum_is_two_of_the_one_and_any_of_the_other(cosigned: str, enough: bool) -> None:
    """Names of groups count for nothing: only witnesses sign."""
    assert read(EXAMPLE).satisfied(cosigned.split()) is enough


def test_no_quorum_is_always_reached_and_a_single_witness_is_one() -> None:
    """The two simplest policies."""
    assert read("quorum none\n").satisfied([])
    assert read("quorum none\n") == WitnessPolicy((), (), (), None)
    one = read(f"witness w {KEYS[0]}\nquorum w\n")
    assert not one.satisfied([])
    assert not one.satisfied(["v"])
    assert one.satisfied(["w"])


def test_witnesses_are_known_by_their_signatures() -> None:
    """From a cosigned checkpoint to the quorum; whoever else signed does not count."""
    policy = read(EXAMPLE)
    log, text = Signer.from_text(golden_log.PRIVATE_TEXT), parse_note(golden_log.checkpoint(7)).text
    stranger = Signer("w0.example", Kind.ED25519_COSIGNATURE, b"s" * 32)
    signers = [witness_key(0), witness_key(2), witness_key(4), stranger]
    raw = format_note(text, [log.signature(text), *(one.signature(text, 9) for one in signers)])
    known = [*(one.verifier for one in policy.logs), *(one.verifier for one in policy.witnesses)]
    _, verified = open_note(raw, [*known, stranger.verifier])
    assert policy.cosigners(verified) == {"X1", "X3", "Y2"}
    assert policy.satisfied(policy.cosigners(verified))
    assert not policy.satisfied(policy.cosigners(verified[:-2]))


@pytest.mark.parametrize("word", ["witness", "group", "quorum", "log"])
def test_logs_and_witnesses_may_be_called_like_a_word_of_a_policy(word: str) -> None:
    """Only the first word of a line, and that whole, says what the line is."""
    log = Signer.generate(f"{word}s.example/log").vkey
    policy = read(f"log {log}\nwitness {word} {KEYS[0]}\nquorum {word}\n")
    assert [one.verifier.vkey for one in policy.logs] == [log]
    assert policy.satisfied([word])
    with pytest.raises(PolicyError, match="Line 1"):
        read(f"{log}\nquorum none\n")


W0 = f"witness a {KEYS[0]}\n"
W1 = f"witness b {KEYS[1]}\n"
REFUSED: dict[str, tuple[int | None, str]] = {
    "nothing": (None, ""),
    "no quorum": (None, W0),
    "two quorums": (3, f"{W0}quorum a\nquorum a\n"),
    "a quorum of two": (3, f"{W0}{W1}quorum a b\n"),
    "a quorum of none by name": (1, "quorum\n"),
    "a quorum that is not there": (2, f"{W0}quorum b\n"),
    "a quorum that comes later": (1, f"quorum a\n{W0}"),
    "an unknown word": (1, "cosigner a\nquorum none\n"),
    "a word in capitals": (1, "Quorum none\n"),
    "a comment behind a line": (1, "quorum none # for now\n"),
    "no line feed at the end": (None, "quorum none"),
    "CRLF": (1, "quorum none\r\n"),
    "a form feed": (1, "\fquorum none\n"),
    "a zero byte": (1, "# a\0b\nquorum none\n"),
    "a delete character": (1, "# a\x7fb\nquorum none\n"),
    "a control character in a comment": (2, "quorum none\n#\x1b\n"),
    "a log without a key": (1, "log\nquorum none\n"),
    "a log with two URLs": (1, f"log {LOG} a b\nquorum none\n"),
    "a log with a name": (1, f"log name {LOG}\nquorum none\n"),
    "a log with a broken key": (1, f"log {LOG[:-1]}\nquorum none\n"),
    "a log with a witness's key": (1, f"log {KEYS[0]}\nquorum none\n"),
    "the same log twice": (2, f"log {LOG}\nlog {LOG} https://l.example\nquorum none\n"),
    "a witness without a key": (1, "witness a\nquorum none\n"),
    "a witness with too much": (1, f"witness a {KEYS[0]} u v\nquorum a\n"),
    "a witness with a log's key": (1, f"witness a {LOG}\nquorum none\n"),
    "a witness with a key that is no text": (1, "witness a \udcff\nquorum none\n"),
    "two witnesses of one name": (2, f"{W0}witness a {KEYS[1]}\nquorum a\n"),
    "two witnesses of one key": (2, f"{W0}witness b {KEYS[0]}\nquorum a\n"),
    "a witness called none": (1, f"witness none {KEYS[0]}\nquorum none\n"),
    "a group called none": (2, f"{W0}group none any a\nquorum none\n"),
    "a group of a witness's name": (2, f"{W0}group a any a\nquorum a\n"),
    "two groups of one name": (4, f"{W0}{W1}group g any a\ngroup g any b\nquorum g\n"),
    "a group without members": (2, f"{W0}group g any\nquorum g\n"),
    "a group of itself": (2, f"{W0}group g any g\nquorum g\n"),
    "a group of a later one": (2, f"{W0}group g any h\ngroup h any a\nquorum g\n"),
    "a group of none": (2, f"{W0}group g any none\nquorum g\n"),
    "a member twice in a group": (2, f"{W0}group g 2 a a\nquorum g\n"),
    "a member of two groups": (4, f"{W0}{W1}group g any a\ngroup h all g a\nquorum h\n"),
    "none of its members needed": (2, f"{W0}group g 0 a\nquorum g\n"),
    "more than its members needed": (2, f"{W0}group g 2 a\nquorum g\n"),
    "fewer than none needed": (2, f"{W0}group g -1 a\nquorum g\n"),
    "a threshold with a zero in front": (2, f"{W0}group g 01 a\nquorum g\n"),
    "a threshold with a plus sign": (2, f"{W0}group g +1 a\nquorum g\n"),
    "a threshold of another script": (2, f"{W0}group g \u0661 a\nquorum g\n"),
    "a threshold of many digits": (2, f"{W0}group g {'9' * 5000} a\nquorum g\n"),
    "no threshold": (2, f"{W0}group g most a\nquorum g\n"),
    "too much": (None, "#" * POLICY_BYTES_MAX + "\nquorum none\n"),
}


@pytest.mark.parametrize(("line", "text"), REFUSED.values(), ids=REFUSED)
def test_a_policy_with_anything_wrong_is_refused_by_its_line(line: int | None, text: str) -> None:
    """Whoever wrote it learns where to look."""
    with pytest.raises(PolicyError) as refused:
        parse_policy(text.encode(errors="surrogateescape"))
    assert line is None or str(refused.value).startswith(f"Line {line} of the policy")


def test_one_key_is_one_witness_under_any_name_and_kind() -> None:
    """Nobody counts twice by renaming a key."""
    again = Signer("other.example", Kind.ED25519_COSIGNATURE, bytes(32)).vkey
    with pytest.raises(PolicyError, match="Line 2 of the policy has the public key"):
        read(f"witness a {KEYS[0]}\nwitness b {again}\nquorum a\n")
    apart = witness_key(0, Kind.MLDSA44_COSIGNATURE).vkey
    assert len(read(f"witness a {KEYS[0]}\nwitness b {apart}\nquorum b\n").witnesses) == 2


def test_a_log_may_have_an_ml_dsa_44_key_and_may_rotate() -> None:
    """Two keys of one origin are two lines."""
    pq_log = Signer(golden_log.ORIGIN, Kind.MLDSA44_COSIGNATURE, bytes(32)).vkey
    assert len(read(f"log {LOG}\nlog {pq_log}\nquorum none\n").logs) == 2


def test_names_are_bytes() -> None:
    """A letter that looks like another, or is written otherwise, is another; so is no letter."""
    kelvin, broken = "\u212a".encode(), b"\xff\xfe"
    lines = (b"witness %b %b\n", b"witness K %b\n", b"witness %b %b\n")
    keys = [key.encode() for key in KEYS]
    raw = lines[0] % (kelvin, keys[0]) + lines[1] % keys[1] + lines[2] % (broken, keys[2])
    policy = parse_policy(raw + b"group g 2 K %b %b\nquorum g\n" % (kelvin, broken))
    names = [one.name for one in policy.witnesses]
    assert len(set(names)) == 3
    assert [one.label for one in policy.witnesses] == ["\u212a", "K", "\ufffd\ufffd"]
    assert not policy.satisfied(["K"])
    assert policy.satisfied([names[0], names[2]])


def naive_satisfied(
    name: str, groups: Mapping[str, tuple[int, tuple[str, ...]]], cosigned: set[str]
) -> bool:
    """The definition: so many members have witnessed; of a witness, that it cosigned."""
    if name not in groups:
        return name in cosigned
    needed, members = groups[name]
    return sum(naive_satisfied(member, groups, cosigned) for member in members) >= needed


@settings(HOW, max_examples=100)
@given(st.data())
def test_any_policy_is_satisfied_as_defined(data: st.DataObject) -> None:
    """Groups of groups of any shape, against the recursive definition."""
    free: list[str] = [f"w{number}" for number in range(data.draw(st.integers(1, 6)))]
    witnesses = tuple(free)
    lines = [f"witness {name} {KEYS[number]}" for number, name in enumerate(free)]
    groups: dict[str, tuple[int, tuple[str, ...]]] = {}
    for number in range(data.draw(st.integers(0, 4))):
        if not free:
            break
        members = tuple(data.draw(st.permutations(free)))[: data.draw(st.integers(1, len(free)))]
        needed = data.draw(st.integers(1, len(members)))
        groups[f"g{number}"] = (needed, members)
        lines.append(f"group g{number} {needed} {' '.join(members)}")
        free = [*(name for name in free if name not in members), f"g{number}"]
    quorum = data.draw(st.sampled_from([*witnesses, *groups]))
    policy = read("\n".join([*lines, f"quorum {quorum}"]) + "\n")
    cosigned = data.draw(st.sets(st.sampled_from(witnesses)))
    assert policy.satisfied(cosigned) is naive_satisfied(quorum, groups, cosigned)


def test_a_deep_policy_is_read() -> None:
    """Thousands of groups, each of the one above, exhaust nothing."""
    names = ["a", *(f"g{number}" for number in range(5_000))]
    lines = [f"group {name} all {above}\n" for above, name in itertools.pairwise(names)]
    policy = read(f"{W0}{''.join(lines)}quorum {names[-1]}\n")
    assert policy.satisfied(["a"])
    assert not policy.satisfied([])


@HOW
@given(edited(EXAMPLE.encode(), b"quorum none\n"))
def test_any_bytes_are_refused_or_are_a_policy(raw: bytes) -> None:
    """One error for whatever is wrong; what is read has its quorum, and needs nobody twice."""
    try:
        policy = parse_policy(raw)
    except PolicyError:
        return
    everybody = {one.name for one in policy.witnesses}
    assert policy.satisfied(everybody)
    assert policy.satisfied([]) is (policy.quorum is None)
    members = [member for group in policy.groups for member in group.members]
    assert len(members) == len(set(members))
