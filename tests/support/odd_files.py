"""Dossiers whose JSON, members or disclosures are odd: at a limit, just beyond it, or misspelt.

Readers of JSON are known to differ on most of these; verifiers must not.
"""

import base64
import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from dossiers import Dossier, as_file, disclosures_of, dossier_of, small_dossier
from told_log import Entry, decision_of, small_before_the_decision, small_log

_BYTES_MAX: Final = 16_000_000
_ASTRAL: Final = "\N{GRINNING FACE}"


def odd_files() -> dict[str, bytes]:
    """Files by the name of what is odd about them."""
    made = [*_texts(), *_numbers(), *_lists(), *_letters(), *_misplaced()]
    return dict(made)


def _edited(old: str, new: str) -> bytes:
    text = small_dossier().decode()
    if old not in text:
        raise ValueError(f"{old} is not in the dossier")
    return text.replace(old, new, 1).encode()


def _with(change: Callable[[Dossier], Any]) -> bytes:
    file = copy.deepcopy(dossier_of(small_log()))
    change(file)
    return as_file(file)


def _rule(**members: object) -> bytes:
    return _with(lambda file: file["policies"][0].update(members))


def _texts() -> Iterator[tuple[str, bytes]]:
    raw = small_dossier()
    yield "spaces up to the limit", raw + b" " * (_BYTES_MAX - len(raw))
    yield "a space beyond the limit", raw + b" " * (_BYTES_MAX - len(raw) + 1)
    yield "in one line", json.dumps(json.loads(raw)).encode()
    yield "members in another order", json.dumps(json.loads(raw), sort_keys=True).encode()
    yield "carriage returns between members", raw.replace(b"\n", b"\r\n")
    yield "form feed between members", raw.replace(b"\n", b"\x0c", 1)
    yield "no-break space between members", raw.replace(b"\n", "\u00a0".encode(), 1)
    yield "in sixteen bits", raw.decode().encode("utf-16")
    yield "comma after the last member", raw.rstrip()[:-1] + b",}"
    yield "comment", b"// a dossier\n" + raw
    yield "member without quotes", _edited('"loop":', "loop:")
    yield "single quotes", _edited('"loop":', "'loop':")
    yield "escaped slash", _edited("hireledger-dossier/1", "hireledger-dossier\\/1")
    yield "escaped letter", _edited("hireledger-dossier/1", "\\u0068ireledger-dossier/1")
    yield "unknown escape", _edited("hireledger-dossier/1", "\\hireledger-dossier/1")
    yield "short escape", _edited('"title": "', '"title": "\\u12')
    yield "control character in a text", _edited('"title": "', '"title": "\x01')
    yield "escaped control character", _edited('"title": "', '"title": "\\u0001')
    yield "half a letter", _edited('"title": "', '"title": "\\ud83d')
    yield "two halves in the wrong order", _edited('"title": "', '"title": "\\ude00\\ud83d')
    yield "two halves", _edited('"title": "', '"title": "\\ud83d\\ude00')
    yield "half a letter as a member", _edited('"title": "', '"\\ud83d": 1, "title": "')
    yield "member twice, alike", _edited('"loop":', '"decision": 33, "loop":')
    yield "member of no letters", _edited('"loop":', '"": 1, "loop":')
    yield "prototype as a member", _edited('"loop":', '"__proto__": {}, "loop":')


def _numbers() -> Iterator[tuple[str, bytes]]:
    for spelt in ("33.0", "33e0", "3.3e1", "033", "+33", "-33", "0", "-0", "NaN", "Infinity"):
        yield f"decision {spelt}", _edited('"decision": 33', f'"decision": {spelt}')
    for spelt in ("true", "null", "[33]", '{"33": 33}', "0x21", "33_0", "9" * 400, "1e999"):
        yield f"decision {spelt[:12]}", _edited('"decision": 33', f'"decision": {spelt}')
    yield "position as true", _with(lambda file: file["facts"][0].update(position=True))
    yield "version 0", _rule(version=0)
    yield "version as text", _rule(version="1")
    yield "version a million", _rule(version=1_000_000)


def _lists() -> Iterator[tuple[str, bytes]]:
    for name in ("facts", "disclosures", "policies", "timestamps"):
        for told in ("null", "{}", '""', '{"0": 1}', "[null]", "[[]]", "[0]"):
            file = {**dossier_of(small_log()), name: json.loads(told)}
            yield f"{name} {told}", as_file(file)
    sum_ = base64.b64encode(bytes(32)).decode()
    yield "sixteen timestamps", _with(lambda file: file.update(timestamps=["AAAA"] * 16))
    yield "seventeen timestamps", _with(lambda file: file.update(timestamps=["AAAA"] * 17))
    yield "empty timestamp", _with(lambda file: file.update(timestamps=[""]))
    yield "timestamp with loose bits", _with(lambda file: file.update(timestamps=["AAB="]))
    yield "timestamp of one letter", _with(lambda file: file.update(timestamps=["A"]))
    yield "proof of 63 hashes", _with(lambda file: file["facts"][0].update(proof=[sum_] * 63))
    yield "proof of 64 hashes", _with(lambda file: file["facts"][0].update(proof=[sum_] * 64))
    rules = [{**dossier_of(small_log())["policies"][0], "version": n} for n in range(1, 1_002)]
    yield "thousand rules", _with(lambda file: file.update(policies=rules[:1_000]))
    yield "thousand and one rules", _with(lambda file: file.update(policies=rules))


def _letters() -> Iterator[tuple[str, bytes]]:
    for name, most in (("id", 64), ("title", 400), ("rationale", 4_000)):
        yield f"longest {name}", _rule(**{name: "x" * most})
        yield f"too long {name}", _rule(**{name: "x" * (most + 1)})
        yield f"longest {name} of large letters", _rule(**{name: _ASTRAL * most})
        yield f"too long {name} of large letters", _rule(**{name: _ASTRAL * (most + 1)})
    yield "digest in capitals", _rule(source_digest="A" * 64)
    yield "digest of 63 digits", _rule(source_digest="0" * 63)
    yield "digest with a line feed", _rule(source_digest="0" * 64 + "\n")
    yield "loop in capitals", _with(lambda file: file.update(loop="l_" + "A" * 26))
    yield "loop with a line feed", _with(lambda file: file.update(loop=file["loop"] + "\n"))
    yield "format with a line feed", _with(lambda file: file.update(format=file["format"] + "\n"))
    yield "long checkpoint", _with(lambda file: file.update(checkpoint="x" * 200_000))
    yield "too long checkpoint", _with(lambda file: file.update(checkpoint="x" * 200_001))
    for count, name in ((21_845, "largest"), (21_846, "too large")):
        file = copy.deepcopy(dossier_of(small_log()))
        file["facts"][0]["leaf"] = "\u20ac" * count  # three bytes each
        yield f"{name} leaf", as_file(file)


def _misplaced() -> Iterator[tuple[str, bytes]]:
    """A ledger sealed words under another place than the one that they say."""
    near = ("/reasons/0", "/reasons/0/text/_sd", "reasons/0/text", "x/reasons/0/text", "/", "")
    nearly_0 = ("-1", "00", "+0", "-0", "0_0", " 0", "\N{FULLWIDTH DIGIT ZERO}", "0.0", "")
    counted = (f"/reasons/{spelt}/text" for spelt in nearly_0)
    for pointer in ("/reasons/1/text", "/stamp/by", *near, *counted):
        yield f"words sealed for {pointer}", _sealed_for(pointer)
    yield "words sealed for /reasons/0/text", _sealed_for("/reasons/0/text")


def _sealed_for(pointer: str) -> bytes:
    honest = decision_of(small_log())
    (sealed,) = disclosures_of([honest], lambda at: at == "/reasons/0/text")
    salt, _, value = json.loads(base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4)))
    text = json.dumps([salt, pointer, value]).encode()
    disclosure = base64.urlsafe_b64encode(text).decode().rstrip("=")
    log = small_before_the_decision()
    leaf = honest.leaf.replace(_digest(sealed), _digest(disclosure))
    log.entries.append(Entry(honest.position, leaf, honest.fact, ()))
    if _digest(sealed) not in honest.leaf:
        raise ValueError("the decision has other words")
    return as_file({**dossier_of(log), "disclosures": [disclosure]})


def _digest(disclosure: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(disclosure.encode()).digest()).rstrip(b"=")
