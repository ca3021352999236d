"""A body becomes one struct, or a 400 that says where and repeats nothing."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from api import rawjson
from api.problems import Problem
from api.strict import decode_body, decode_command, shape_of

Time = Annotated[datetime, Meta(tz=True)]
Slug = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,9}(?!\n)$")]


class Seen(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="seen"):
    """An observation made."""

    code: Slug


class Skipped(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="skipped"):
    """An observation not made."""

    reason: str


class Rating(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rating."""

    competency: Slug
    rating: Annotated[int, Meta(ge=1, le=5)] | None = None
    observations: tuple[Seen | Skipped, ...] = ()


class Feedback(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body with everything in it that bodies have."""

    ratings: tuple[Rating, ...] = ()
    recommend: Literal["hire", "no_hire"] | None = None
    weight: float = 1.0
    anchors: dict[Slug, Annotated[str, Meta(max_length=9)]] = {}
    at: Time | None = None
    note: str = ""


class Session(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command of which two fields come from the path."""

    loop: Slug
    number: Annotated[int, Meta(ge=1)]
    note: str
    pair: tuple[Annotated[int, Meta(ge=0)], ...] = ()


SECRET = "Zdenka-Quux"
RATED = {"competency": "a"}


def refusal(raw: bytes, type_: Any = Feedback, **more: Any) -> Problem:
    """The problem that decoding raises."""
    with pytest.raises(Problem) as caught:
        decode_body(raw, type_, **more)
    return caught.value


def test_a_well_formed_body_becomes_the_struct() -> None:
    """Every kind of field is read as what it is."""
    raw = (
        b'{"ratings":[{"competency":"ml-1","rating":3,"observations":'
        b'[{"type":"seen","code":"a"}]}],"recommend":"hire","weight":2,'
        b'"anchors":{"1":"poor"},"at":"2026-03-04T05:06:07+01:00"}'
    )
    assert decode_body(raw, Feedback) == Feedback(
        ratings=(Rating(competency="ml-1", rating=3, observations=(Seen(code="a"),)),),
        recommend="hire",
        weight=2.0,
        anchors={"1": "poor"},
        at=datetime(2026, 3, 4, 4, 6, 7, tzinfo=UTC),
    )


def test_an_empty_body_counts_as_an_empty_object() -> None:
    """A command without required fields may come without a body; others say what they miss."""
    assert decode_body(b"", Feedback) == Feedback()
    assert refusal(b"", Rating).errors[0].pointer == "/competency"


def _rated(more: bytes) -> bytes:
    """A body with one rating that has `more` in it."""
    return b'{"ratings":[{"competency":"a",%s}]}' % more


MALFORMED: dict[str, tuple[bytes, str]] = {
    "nothing but a brace": (b"{", ""),
    "trailing words": (b'{"note":"x"} {}', ""),
    "a list for an object": (b"[]", ""),
    "null for an object": (b"null", ""),
    "not UTF-8": (b'{"note":"\xff"}', ""),
    "an encoded surrogate": (b'{"note":"\xed\xa0\x80"}', ""),
    "overlong UTF-8": (b'{"note":"\xc0\xaf"}', ""),
    "a byte order mark": (b'\xef\xbb\xbf{"note":"x"}', ""),
    "UTF-16": ('{"note":"x"}'.encode("utf-16"), ""),
    "UTF-16 without a mark": ('{"note":"x"}'.encode("utf-16-le"), ""),
    "100,000 nested brackets": (b"[" * 100_000, ""),
    "100,000 nested braces": (b'{"a":' * 50_000, ""),
    "brackets nested 65 deep": (b'{"note":' + b"[" * 64 + b"]" * 64 + b"}", ""),
    "NUL as an escape": (b'{"note":"a\\u0000b"}', "/note"),
    "NUL as a byte": (b'{"note":"a\0b"}', ""),
    "NUL after the body": (b'{"note":"ab"}\0', ""),
    "NUL in a name": (b'{"note":"x","a\\u0000":1}', ""),
    "a lone high surrogate": (b'{"note":"\\ud800"}', "/note"),
    "a lone low surrogate": (b'{"note":"x\\uDFFFx"}', "/note"),
    "surrogates the wrong way round": (b'{"note":"\\ude00\\ud83d"}', "/note"),
    "a surrogate in a name": (b'{"\\ud800":1}', ""),
    "a member twice": (b'{"note":"a","note":"a"}', "/note"),
    "a member twice by escape": (b'{"note":"a","\\u006eote":"b"}', "/note"),
    "a member twice deep down": (
        b'{"ratings":[{"competency":"a"},{"competency":"a","rating":1,"rating":1}]}',
        "/ratings/1/rating",
    ),
    "an unknown member twice": (b'{"%s":1,"%s":2}' % ((SECRET.encode(),) * 2), ""),
    "a key of a mapping twice": (b'{"anchors":{"a":"x","a":"y"}}', "/anchors"),
    "a whole number beyond 2**53-1": (b'{"weight":9007199254740992}', "/weight"),
    "a very long number": (b'{"weight":' + b"9" * 100_000 + b"}", "/weight"),
    "a number beyond a double": (b'{"weight":1e999}', "/weight"),
    "NaN": (b'{"weight":NaN}', "/weight"),
    "Infinity": (b'{"weight":-Infinity}', "/weight"),
    "a leading zero": (b'{"weight":01}', ""),
    "a leading plus": (b'{"weight":+1}', ""),
    "a comment": (b'{"weight":1}//x', ""),
    "a trailing comma": (b'{"weight":1,}', ""),
    "single quotes": (b"{'weight':1}", ""),
    "a line break in a string": (b'{"note":"a\nb"}', ""),
    "an unknown field": (b'{"%s":1}' % SECRET.encode(), ""),
    "an unknown field deep down": (_rated(b'"%s":1' % SECRET.encode()), "/ratings/0"),
    "text for a number": (_rated(b'"rating":"3"'), "/ratings/0/rating"),
    "a fraction for a whole number": (_rated(b'"rating":3.0'), "/ratings/0/rating"),
    "true for a number": (b'{"weight":true}', "/weight"),
    "a number for text": (b'{"note":1}', "/note"),
    "null for text": (b'{"note":null}', "/note"),
    "a number for a time": (b'{"at":0}', "/at"),
    "a naive time": (b'{"at":"2026-03-04T05:06:07"}', "/at"),
    "a date for a time": (b'{"at":"2026-03-04"}', "/at"),
    "a time no zone can shift": (b'{"at":"0001-01-01T00:00:00+01:00"}', "/at"),
    "a time at the end of time": (b'{"at":"9999-12-31T23:59:59-01:00"}', "/at"),
    "a rating off its scale": (_rated(b'"rating":6'), "/ratings/0/rating"),
    "an unknown choice": (b'{"recommend":"%s"}' % SECRET.encode(), "/recommend"),
    "an unknown kind": (_rated(b'"observations":[{"type":"x"}]'), "/ratings/0/observations/0/type"),
    "a kind that is missing": (_rated(b'"observations":[{}]'), "/ratings/0/observations/0/type"),
    "a required field that is missing": (b'{"ratings":[{"rating":1}]}', "/ratings/0/competency"),
    "a line break that ends a slug": (
        b'{"ratings":[{"competency":"a\\n"}]}',
        "/ratings/0/competency",
    ),
    "a value of a mapping too long": (b'{"anchors":{"%s":"0123456789"}}' % b"zdenka", "/anchors"),
    "a name of a mapping off its pattern": (
        b'{"anchors":{"%s":"x"}}' % SECRET.encode(),
        "/anchors",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_body_is_a_400_with_a_pointer(name: str) -> None:
    """The museum of bad bodies: each answers 400 and points at the place that is known."""
    raw, pointer = MALFORMED[name]
    problem = refusal(raw)
    assert (problem.status, problem.code) == (400, "malformed")
    assert [error.pointer for error in problem.errors] == [pointer]
    assert problem.errors[0].message


@pytest.mark.parametrize("name", MALFORMED)
def test_a_refusal_repeats_nothing_of_the_body(name: str) -> None:
    """Neither a value nor a name that a caller chose comes back."""
    problem = refusal(MALFORMED[name][0])
    told = msgspec.json.encode(problem.body("r_x")).decode().lower()
    for word in (SECRET.lower(), "zdenka", "0123456789", "2026-03-04", "9007199254740992"):
        assert word not in told


FORGED = [
    "x` - at `$.note",
    "x` - at `$." + SECRET,
    "x` - at `$.ratings[7]",
    "x' - at `$." + SECRET + "`",
    "` - at `$",
    " - at `$." + SECRET,
    "`, got `" + SECRET,
    "Expected `" + SECRET + "`",
]


@pytest.mark.parametrize("name", FORGED)
def test_a_field_named_like_a_path_cannot_point_anywhere_unknown(name: str) -> None:
    """What a caller writes into a name is not taken for the decoder's own words."""
    body = {name: 1, SECRET: {"x": 1}, "note": "x"}
    problem = refusal(json.dumps(body).encode())
    assert problem.errors[0].pointer in {"", "/note"}
    assert SECRET not in str(problem.body("r_x"))


def test_the_allowed_choices_are_told() -> None:
    """Who sends an unknown choice learns the known ones."""
    message = refusal(b'{"recommend":"maybe"}').errors[0].message
    assert message == "Expected one of `hire`, `no_hire`."
    kinds = refusal(b'{"ratings":[{"competency":"a","observations":[{"type":"x"}]}]}')
    assert kinds.errors[0].message == "Expected one of `seen`, `skipped`."


def test_bounds_are_told() -> None:
    """Who misses a bound learns it."""
    problem = refusal(b'{"ratings":[{"competency":"a","rating":6}]}')
    assert problem.errors[0].message == "Expected `int` <= 5."


def test_a_body_over_its_limit_is_a_413() -> None:
    """The limit counts bytes and is inclusive."""
    raw = b'{"note":"1234"}'
    assert decode_body(raw, Feedback, limit=len(raw)).note == "1234"
    assert refusal(raw, limit=len(raw) - 1).status == 413


def test_pointers_of_an_inner_body_start_where_it_stands() -> None:
    """A body inside a batch line is pointed at from the line's own root."""
    assert refusal(b'{"note":1}', at="/body").errors[0].pointer == "/body/note"
    assert refusal(b"[", at="/body").errors[0].pointer == "/body"


BLANK = {
    "a space": " ",
    "line ends": "\r\n\t\x0b",
    "wide and narrow spaces": "\u3000\u00a0\u2009\u2028\u0085",
    "fillers of Hangul": "\u3164\u115f\u1160\uffa0",
    "Braille without a dot": "\u2800\u2800",
    "joiners and marks of direction": "\u200b\u200d\u202e\u2066\ufeff",
    "nothing but variations": "\ufe0f\U000e0100\U000e0001",
    "delete": "\x7f",
}


@pytest.mark.parametrize("escaped", [True, False])
@pytest.mark.parametrize("text", BLANK.values(), ids=BLANK)
def test_a_text_that_shows_nothing_is_refused_where_it_stands(text: str, escaped: bool) -> None:
    """It would pass for words, and the page of a dossier would tell them as words."""
    for body, pointer in (
        ({"note": text}, "/note"),
        ({"ratings": [RATED, {**RATED, "observations": [{"type": "skipped", "reason": text}]}]},
         "/ratings/1/observations/0/reason"),
        ({"anchors": {"1": text}}, "/anchors"),
    ):  # fmt: skip
        raw = json.dumps(body, ensure_ascii=escaped).encode()
        problem = refusal(raw, at="/body")
        assert (problem.status, problem.errors[0].pointer) == (400, f"/body{pointer}")
        assert problem.errors[0].message.startswith("There is nothing to see in this text.")
    shown = json.dumps({"note": f"{text}.{text}"}, ensure_ascii=escaped).encode()
    assert decode_body(shown, Feedback).note == f"{text}.{text}"


@pytest.mark.parametrize("text", ["", "é", "가", "नमस्ते", "👩\u200d🔬", "\\u0020", "\\n", '"', "/"])
@pytest.mark.parametrize("escaped", [True, False])
def test_a_text_with_one_letter_to_see_is_read(text: str, escaped: bool) -> None:
    """Of any script; and whether a text may be empty, its own field says."""
    raw = json.dumps({"note": text}, ensure_ascii=escaped).encode()
    assert decode_body(raw, Feedback).note == text


@pytest.mark.parametrize("depth", [1, 63])
def test_nesting_up_to_the_limit_is_read(depth: int) -> None:
    """64 levels are allowed, and brackets in strings do not count."""
    raw = b"[" * (depth + 1) + b'"' + b"[{" * 500 + b'\\"[["' + b"]" * (depth + 1)
    assert rawjson.parse(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"note":"\\\\u0000"}',
        b'{"note":"\\\\ud800"}',
        b'{"note":"\\ud83d\\ude00 1234567890123456789"}',
        '{"note":"na\u00efve \U0001f600"}'.encode(),
        b'{"weight":9007199254740991}',
        b'{"weight":-9007199254740991.0}',
        b'{"weight":0.12345678901234567890}',
        b' \t\r\n{"note":"x"}\n',
    ],
)
def test_what_only_looks_suspicious_is_read(raw: bytes) -> None:
    """Escaped backslashes, pairs of surrogates and long digits in text are no faults."""
    decode_body(raw, Feedback)


def test_a_command_takes_fields_from_its_path_and_the_rest_from_its_body() -> None:
    """Path segments are typed as strictly as the body, and the body may not hold them."""
    path = {"loop": "a-1", "number": "7"}
    assert decode_command(b'{"note":"x"}', Session, path) == Session(loop="a-1", number=7, note="x")
    for raw, wrong in [
        (b'{"note":"x","loop":"b"}', path),
        (b'{"note":"x"}', {"loop": "a-1", "number": "07"}),
        (b'{"note":"x"}', {"loop": "a-1", "number": "0"}),
        (b'{"note":"x"}', {"loop": "A", "number": "7"}),
        (b'{"note":"x"}', {"loop": "a\n", "number": "7"}),
    ]:
        with pytest.raises(Problem) as caught:
            decode_command(raw, Session, wrong)
        assert caught.value.status == 400


def test_a_path_with_a_field_the_command_has_not_is_a_programming_error() -> None:
    """It shows at the first call, which the start makes."""
    with pytest.raises(TypeError, match="no field for"):
        decode_command(b"{}", Session, {"nobody": "x"})


class Quoting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A type whose own check would repeat what it chokes on."""

    loop: str
    text: str = "1"

    def __post_init__(self) -> None:
        """Refuse what is no number, in Python's words."""
        int(self.text)


def test_what_a_type_says_of_itself_is_not_passed_on() -> None:
    """Python's own messages quote the value; only exceptions of the domain's may speak."""
    calls: list[Callable[[], object]] = [
        lambda: decode_body(b'{"loop":"l","text":"%s"}' % SECRET.encode(), Quoting),
        lambda: decode_command(b'{"text":"%s"}' % SECRET.encode(), Quoting, {"loop": "l"}),
    ]
    for act in calls:
        with pytest.raises(Problem) as caught:
            act()
        assert caught.value.errors[0].message == "These values do not go together."


class Open(Struct):
    """Lets unknown fields pass."""

    a: int


class Naive(Struct, forbid_unknown_fields=True):
    """Lets naive times pass."""

    a: list[datetime | None]


class Loose(Struct, forbid_unknown_fields=True):
    """Lets a line break pass."""

    a: dict[str, Annotated[str, Meta(pattern="^a$")]]


@pytest.mark.parametrize("type_", [Open, Naive, Loose, list[Open]])
def test_a_type_that_is_not_strict_cannot_be_used(type_: Any) -> None:
    """So that forgetting a word in a struct is found at the start, not by a caller."""
    with pytest.raises(TypeError):
        shape_of(type_)


@given(st.binary(max_size=200))
@example(b'{"":')
@example(b'{"at":"9999-12-31T23:59:59Z"')
@example(b"\x00")
def test_any_bytes_are_either_read_or_a_400(raw: bytes) -> None:
    """No input makes anything but the struct or the problem."""
    try:
        decode_body(raw, Feedback)
    except Problem as problem:
        assert problem.status == 400  # noqa: PT017 (either outcome is right)
