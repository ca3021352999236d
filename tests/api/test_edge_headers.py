"""What is read from and written into headers: request keys, entity tags, links."""

import pytest

from api.edge import request_key
from api.headers import etag, is_fresh, next_link
from api.problems import Problem


@pytest.mark.parametrize("key", ["", " ", "a b", "a\n", "\u00e9", "x" * 256])
def test_a_request_key_is_visible_ascii(key: str) -> None:
    """1 to 255 characters; anything else is a 400 of its own words."""
    with pytest.raises(Problem) as caught:
        request_key({"idempotency-key": key})
    assert (caught.value.status, caught.value.code) == (400, "malformed")


def test_a_missing_request_key_is_a_400_with_its_own_code() -> None:
    """So that a client can tell it from a body at fault."""
    assert request_key({"idempotency-key": "x" * 255}) == "x" * 255
    with pytest.raises(Problem) as caught:
        request_key({})
    assert (caught.value.status, caught.value.code) == (400, "idempotency-key-missing")


def test_entity_tags_differ_by_state_and_match_as_http_says() -> None:
    """Weak or in a list, or by a star."""
    tag = etag("loop", 7)
    assert tag == etag("loop", 7) != etag("loop", 8)
    assert tag.startswith('"')
    assert all(is_fresh(held, tag) for held in (tag, f"W/{tag}", f'"x", {tag}', "*"))
    assert not any(is_fresh(held, tag) for held in (None, "", '"x"', tag.strip('"')))


def test_a_link_to_the_next_page_is_escaped() -> None:
    """Whatever the parameters hold."""
    assert next_link("/v1/loops", [("after", 7), ("stage", 'a>"')]) == (
        '</v1/loops?after=7&stage=a%3E%22>; rel="next"'
    )
