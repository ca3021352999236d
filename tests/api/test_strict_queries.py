"""Query parameters are text that is read as strictly as a body."""

from datetime import UTC, datetime
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from api.problems import Problem
from api.strict import decode_query, query_pairs

SECRET = "Zdenka-Quux"


class Query(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}
):
    """A parameter of every kind."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    position: Annotated[int, Meta(ge=0)] | None = None
    at: Annotated[datetime, Meta(tz=True)] | None = None
    dry_run: bool = False
    share: float | None = None
    kind: Literal["tight", "open"] | None = None
    withhold: tuple[Literal["name", "evidence"], ...] = ()
    from_: str | None = None


class Needy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A parameter that must be there, and one from the path."""

    n: Annotated[int, Meta(ge=1)]
    q: Annotated[str, Meta(min_length=1)]


def decoded(query: str) -> Query:
    """The struct of a raw query string."""
    return decode_query(query_pairs(query.encode()), Query)


def refusal(query: str | bytes) -> Problem:
    """The problem that a raw query string makes."""
    with pytest.raises(Problem) as caught:
        decoded(query if isinstance(query, str) else query.decode("latin-1"))
    assert caught.value.status == 400
    return caught.value


def test_parameters_of_every_kind_are_read() -> None:
    """Numbers, times, switches, choices, lists and plain text."""
    query = (
        "limit=7&position=0&at=2026-03-04T05:06:07%2B01:00&dry_run=true&share=0.25"
        "&kind=open&withhold=name,evidence&from=a+b%26"
    )
    assert decoded(query) == Query(
        limit=7,
        position=0,
        at=datetime(2026, 3, 4, 4, 6, 7, tzinfo=UTC),
        dry_run=True,
        share=0.25,
        kind="open",
        withhold=("name", "evidence"),
        from_="a b&",
    )
    assert decoded("") == Query()


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=1001", "/limit"),
        ("limit=", "/limit"),
        ("limit=1.0", "/limit"),
        ("limit=1e1", "/limit"),
        ("limit=+1", "/limit"),
        ("limit=%201", "/limit"),
        ("limit=01", "/limit"),
        ("limit=1_0", "/limit"),
        ("limit=%D9%A1", "/limit"),
        ("limit=9007199254740992", "/limit"),
        ("limit=" + "9" * 5000, "/limit"),
        ("limit=5&limit=5", "/limit"),
        ("limit=5&lim%69t=6", "/limit"),
        ("position=null", "/position"),
        ("position=-1", "/position"),
        ("at=2026-03-04T05:06:07", "/at"),
        ("at=2026-03-04T05:06:07+01:00", "/at"),
        ("at=0", "/at"),
        ("at=9999-12-31T23:59:59-01:00", "/at"),
        ("dry_run=1", "/dry_run"),
        ("dry_run=True", "/dry_run"),
        ("share=nan", "/share"),
        ("share=inf", "/share"),
        ("share=1e3", "/share"),
        (f"kind={SECRET}", "/kind"),
        (f"withhold=name,{SECRET}", "/withhold/1"),
        ("withhold=name,", "/withhold/1"),
        ("withhold=", "/withhold/0"),
    ],
)
def test_lax_values_and_repetitions_are_refused_with_their_name(query: str, pointer: str) -> None:
    """Only one spelling of each value is read, and each parameter once."""
    problem = refusal(query)
    assert [error.pointer for error in problem.errors] == [pointer]
    assert SECRET not in str(problem.body("r_x"))
    assert problem.errors[0].message.startswith("Query parameter: ")


def test_an_unknown_parameter_is_refused_and_the_known_ones_are_told() -> None:
    """Its name is not repeated."""
    problem = refusal(f"{SECRET}=1")
    assert SECRET not in str(problem.body("r_x"))
    assert "limit, position, at" in problem.detail
    assert ", from." in problem.detail


@pytest.mark.parametrize(
    "query",
    [
        "dry_run",
        "limit=1&&",
        "&",
        "from=%",
        "from=%zz",
        "from=%ff",
        "from=%00",
        "%00=1",
        "from=\xff",
        "&".join(["limit=1"] * 65),
    ],
)
def test_a_query_that_cannot_be_read_is_refused(query: str) -> None:
    """Broken escapes, bytes that are no UTF-8, NUL and too many parameters."""
    with pytest.raises(Problem) as caught:
        decode_query(query_pairs(query.encode("latin-1")), Query)
    assert caught.value.status == 400


def test_fields_of_the_path_are_no_parameters() -> None:
    """What the path gives cannot be given again, and what is required must be there."""
    assert decode_query([("q", "x")], Needy, {"n": "3"}) == Needy(n=3, q="x")
    for pairs, path in [([("q", "x"), ("n", "3")], {"n": "3"}), ([], {"n": "3"}), ([], {"n": "x"})]:
        with pytest.raises(Problem) as caught:
            decode_query(pairs, Needy, path)
        assert caught.value.status == 400


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=30)), max_size=4))
def test_any_pairs_are_either_read_or_a_400(pairs: list[tuple[str, str]]) -> None:
    """No text makes anything but the struct or the problem."""
    try:
        decode_query(pairs, Query)
    except Problem as problem:
        assert problem.status == 400  # noqa: PT017 (either outcome is right)


@given(st.binary(max_size=60))
def test_any_query_string_is_either_read_or_a_400(query: bytes) -> None:
    """No bytes make anything but pairs or the problem."""
    try:
        query_pairs(query)
    except Problem as problem:
        assert problem.status == 400  # noqa: PT017 (either outcome is right)


@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_every_whole_number_is_read_as_written(number: int) -> None:
    """Within the range in which all clients count exactly."""

    class Any(Struct, frozen=True, forbid_unknown_fields=True):
        n: int

    assert decode_query([("n", str(number))], Any).n == number
