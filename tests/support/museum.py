"""The museum of bad dossiers: each spoilt in one way, named by what is wrong with it.

`python tests/support/museum.py` writes the files anew; a test holds them to this generator.
Every exhibit says at which step a verifier must refuse it; at step 9 only one that has the rules.
"""

import base64
import copy
import functools
import itertools
import json
import operator
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from domain import facts as f
from dossiers import (
    KEY,
    OTHER_KEY,
    WITNESS,
    Dossier,
    LogKey,
    as_file,
    checkpoint_of,
    dossier_of,
    given_facts,
    rejected_dossier,
    small_dossier,
    small_withheld_dossier,
)
from lies_about_rules import lies_about_rules
from museum_of_lies import lies
from told_log import small_log

FOLDER: Final = Path(__file__).parents[1] / "proofs" / "museum"
CONTENTS: Final = "contents.json"
_DECISION: Final = '"decision": 33'


class Exhibit(NamedTuple):
    """One bad file: the step that refuses it (0: a good one), and its bytes."""

    step: int
    raw: bytes
    why: str = ""
    """Stands in the reason of a verifier that has the rules; empty where any reason will do."""


Spoil = Callable[[Dossier], Any]


@functools.cache
def exhibits() -> dict[str, Exhibit]:
    """Every file of the museum by its name."""
    made = {
        "valid": Exhibit(0, small_dossier()),
        "valid-withheld": Exhibit(0, small_withheld_dossier()),
        "valid-of-a-rejection-at-a-stage": Exhibit(0, rejected_dossier()),
    }
    for part in (_broken(), _shapes(), _checkpoints(), _proofs(), _stories(), _words(), _rules()):
        for name, exhibit in part:
            if name in made:
                raise ValueError(f"two exhibits are called {name}")
            made[name] = exhibit
    told = lies() | lies_about_rules()
    made |= {name: Exhibit(one.step, as_file(one.file), one.why) for name, one in told.items()}
    return made


def contents() -> bytes:
    """The list of the files: each with the step that refuses it, 0 for the valid ones."""
    listed = {f"{name}.json": one.step for name, one in sorted(exhibits().items())}
    return (json.dumps({"vkey": KEY.vkey, "steps": listed}, indent=1) + "\n").encode()


def _spoilt(step: int, spoil: Spoil) -> Exhibit:
    file = copy.deepcopy(dossier_of(small_log()))
    spoil(file)
    return Exhibit(step, as_file(file))


def _edited(step: int, old: str, new: str) -> Exhibit:
    text = small_dossier().decode()
    if text.count(old) < 1:
        raise ValueError(f"{old} is not in the dossier")
    return Exhibit(step, text.replace(old, new, 1).encode())


def _broken() -> Iterator[tuple[str, Exhibit]]:
    raw = small_dossier()
    yield "empty", Exhibit(1, b"")
    yield "not-json", Exhibit(1, b"This is a letter.\n")
    yield "truncated", Exhibit(1, raw[: len(raw) // 2])
    yield "last-brace-missing", Exhibit(1, raw.rstrip()[:-1])
    yield "bytes-after-the-end", Exhibit(1, raw + b"{}\n")
    yield "not-utf8", Exhibit(1, raw.replace(b"ledger.example", b"ledger\xff.example", 1))
    yield "byte-order-mark", Exhibit(1, b"\xef\xbb\xbf" + raw)
    yield "list-instead-of-object", Exhibit(1, b"[" + raw.rstrip() + b"]\n")
    yield "nested-too-deep", Exhibit(1, b'{"format": ' + b"[" * 20_000 + b"]" * 20_000 + b"}")


def _shapes() -> Iterator[tuple[str, Exhibit]]:
    yield "unknown-member", _spoilt(1, lambda d: d.update(note="ignore me"))
    yield "unknown-member-in-a-fact", _spoilt(1, lambda d: d["facts"][3].update(hidden=True))
    yield "member-missing", _spoilt(1, lambda d: d.pop("timestamps"))
    yield "member-twice", _edited(1, f"{_DECISION},", f'"decision": 32,\n {_DECISION},')
    yield (
        "member-twice-in-a-fact",
        _edited(1, '"position": 1,', '"position": 2,\n   "position": 1,'),
    )
    yield (
        "member-twice-under-an-escape",
        _edited(1, f"{_DECISION},", f'"decisio\\u006e": 32,\n {_DECISION},'),
    )
    yield "format-of-another-version", _edited(1, "dossier/1", "dossier/2")
    yield "loop-is-no-handle", _spoilt(1, lambda d: d.update(loop="loop-7"))
    yield "decision-as-text", _edited(1, _DECISION, '"decision": "33"')
    yield "decision-as-fraction", _edited(1, _DECISION, '"decision": 33.0')
    yield "decision-beyond-every-log", _edited(1, _DECISION, '"decision": 9007199254740992')
    yield "facts-reordered", _spoilt(1, _swap_facts)
    yield "fact-duplicated", _spoilt(1, lambda d: d["facts"].insert(4, d["facts"][4]))
    yield "no-facts", _spoilt(1, lambda d: d.update(facts=[]))
    yield "proof-hash-too-short", _spoilt(1, lambda d: _proof(d).__setitem__(0, _base64(bytes(31))))
    yield "proof-base64-not-canonical", _spoilt(1, _loose_base64)
    yield "proof-base64-without-padding", _spoilt(1, lambda d: _respell(d, lambda t: t.rstrip("=")))
    yield "proof-base64-with-a-space", _spoilt(1, lambda d: _respell(d, lambda t: t + " "))
    yield (
        "leaf-too-large",
        _spoilt(1, lambda d: d["facts"][5].update(leaf=d["facts"][5]["leaf"] + " " * 66_000)),
    )


def _swap_facts(file: Dossier) -> None:
    file["facts"][4], file["facts"][5] = file["facts"][5], file["facts"][4]


def _proof(file: Dossier, at: int = 5) -> list[str]:
    return cast("list[str]", file["facts"][at]["proof"])


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _respell(file: Dossier, spell: Callable[[str], str]) -> None:
    proof = _proof(file)
    proof[0] = spell(proof[0])


def _loose_base64(file: Dossier) -> None:
    """The last character has two bits that say nothing: another one gives the same bytes."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    _respell(file, lambda t: t[:42] + letters[letters.index(t[42]) ^ 1] + t[43:])


def _checkpoints() -> Iterator[tuple[str, Exhibit]]:
    text = checkpoint_of(small_log())
    origin, size, root = text.splitlines()

    def noted(note: str) -> Exhibit:
        return _spoilt(2, lambda d: d.update(checkpoint=note))

    def signed(changed: str, key: LogKey = KEY) -> Exhibit:
        return noted(key.note(changed))

    note = KEY.note(text)
    yield "note-with-crlf", noted(note.replace("\n", "\r\n"))
    yield "note-without-its-last-line-feed", noted(note[:-1])
    yield "note-without-signature", noted(text + "\n")
    yield "note-empty", noted("")
    yield "signature-line-repeated", noted(note + KEY.line(text))
    yield "signature-base64-without-padding", noted(note[:-2] + "\n")
    yield "signature-of-another-key", noted(OTHER_KEY.note(text))
    yield "signature-of-a-stranger-alone", noted(WITNESS.note(text))
    yield "signature-of-other-text", noted(f"{text}\n{KEY.line('something else')}")
    yield "size-changed-after-signing", noted(note.replace(f"\n{size}\n", f"\n{int(size) + 1}\n"))
    yield "size-with-leading-zeros", signed(f"{origin}\n00{size}\n{root}\n")
    yield "size-with-a-plus-sign", signed(f"{origin}\n+{size}\n{root}\n")
    yield "size-beyond-every-log", signed(f"{origin}\n{2**64}\n{root}\n")
    yield "root-too-short", signed(f"{origin}\n{size}\n{_base64(bytes(31))}\n")
    yield "root-missing", signed(f"{origin}\n{size}\n")
    yield "origin-of-another-log", signed(text.replace(origin, "another.example/log"))
    yield "dossier-of-another-ledger", Exhibit(2, as_file(dossier_of(small_log(), key=OTHER_KEY)))


def _proofs() -> Iterator[tuple[str, Exhibit]]:
    yield "proofs-swapped", _spoilt(3, _swap_proofs)
    yield "proof-hash-left-out", _spoilt(3, lambda d: _proof(d).pop())
    yield "proof-hash-too-many", _spoilt(3, lambda d: _proof(d).append(_base64(bytes(32))))
    yield "proof-empty", _spoilt(3, lambda d: _proof(d).clear())
    yield "proof-hashes-reordered", _spoilt(3, lambda d: _proof(d).reverse())
    yield "leaf-byte-changed", _spoilt(3, lambda d: _releaf(d, ':"hire"', ':"no_hire"'))
    yield "leaf-with-a-space-more", _spoilt(3, lambda d: _releaf(d, "{", "{ "))
    yield "position-of-another-fact", _spoilt(3, _misplace)
    yield "checkpoint-older-than-the-decision", _spoilt(3, _older)
    yield "facts-exchanged-under-their-positions", _spoilt(3, _exchange_leaves)


def _misplace(file: Dossier) -> None:
    """The first fact before a gap is moved into it."""
    for one, following in itertools.pairwise(file["facts"]):
        if following["position"] > one["position"] + 1:
            one["position"] += 1
            return
    raise ValueError("the file holds every fact of the log: there is no other position")


def _swap_proofs(file: Dossier) -> None:
    one, other = file["facts"][4], file["facts"][9]
    one["proof"], other["proof"] = other["proof"], one["proof"]


def _releaf(file: Dossier, old: str, new: str) -> None:
    decision = file["facts"][-1]
    if old not in decision["leaf"]:
        raise ValueError(f"{old} is not in the decision")
    decision["leaf"] = decision["leaf"].replace(old, new, 1)


def _older(file: Dossier) -> None:
    file["checkpoint"] = KEY.note(checkpoint_of(small_log(), size=file["decision"] - 1))


def _exchange_leaves(file: Dossier) -> None:
    one, other = file["facts"][11], file["facts"][12]
    one["leaf"], other["leaf"] = other["leaf"], one["leaf"]


def _stories() -> Iterator[tuple[str, Exhibit]]:
    log = small_log()
    by_position = {one.position: one for one in log.entries}
    extra = {
        "fact-of-another-loop-added": next(
            p for p, e in by_position.items() if b'"loop-opened' in e.leaf and _is_other(e.leaf)
        ),
        "fact-that-nothing-rests-on-added": next(
            p for p, e in by_position.items() if b"prompt:shipping-dispute" in e.leaf
        ),
        "fact-after-the-decision-added": len(by_position),
    }

    def without(step: int, kind: str) -> Exhibit:
        return _spoilt(step, lambda d: _leave_out(d, kind))

    yield "decision-of-another-loop", _spoilt(4, _other_loop)
    yield "decision-is-a-recommendation", _edited(4, _DECISION, '"decision": 32')
    advanced = next(e.position for e in log.entries if isinstance(e.fact, f.StageDecided))
    yield "decision-is-that-to-go-on", _edited(4, _DECISION, f'"decision": {advanced}')
    yield "decision-left-out", without(4, "decision-made.v1")
    yield "feedback-left-out", without(5, "feedback-submitted.v1")
    yield "gate-left-out", without(5, "evidence-gate-passed.v1")
    yield "scorecard-left-out", without(5, "scorecard-versioned.v1")
    yield "opening-left-out", without(5, "loop-opened.v1")
    yield "policy-set-left-out", without(5, "policy-set-adopted.v1")
    yield "person-left-out", without(5, "person-registered.v1")
    for name, position in extra.items():
        yield name, _spoilt(5, functools.partial(_add, position))


def _is_other(leaf: bytes) -> bool:
    return dossier_of(small_log())["loop"].encode() not in leaf


def _other_loop(file: Dossier) -> None:
    file["loop"] = "l_" + "x" * 26


def _leave_out(file: Dossier, kind: str) -> None:
    at = next(i for i, one in enumerate(file["facts"]) if f'"type":"{kind}"' in one["leaf"])
    del file["facts"][at]


def _add(position: int, file: Dossier) -> None:
    log = small_log()
    file["facts"] += given_facts(log, [log.entries[position - 1]])
    file["facts"].sort(key=operator.itemgetter("position"))


def _words() -> Iterator[tuple[str, Exhibit]]:
    def disclosed(spoil: Callable[[list[str]], Any]) -> Exhibit:
        return _spoilt(7, lambda d: spoil(d["disclosures"]))

    def reworded(texts: list[str]) -> None:
        salt, pointer, value = json.loads(base64.urlsafe_b64decode(texts[1] + "==="))
        texts[1] = _disclosure(salt, pointer, f"not {value}")

    def moved(texts: list[str]) -> None:
        salt, _, value = json.loads(base64.urlsafe_b64decode(texts[1] + "==="))
        texts[1] = _disclosure(salt, "/stamp/by", value)

    def of_four(texts: list[str]) -> None:
        texts[1] = _url64(json.dumps(["salt", "/name", "Nobody", "more"]).encode())

    def of_another(texts: list[str]) -> None:
        texts.append(_disclosure("c2FsdHNhbHRzYWx0c2FsdA", "/name", "Somebody Else"))

    yield "disclosure-with-other-words", disclosed(reworded)
    yield "disclosure-of-another-place", disclosed(moved)
    yield "disclosure-of-another-dossier", disclosed(of_another)
    yield "disclosure-of-four-parts", disclosed(of_four)
    yield "disclosure-twice", disclosed(lambda texts: texts.append(texts[0]))
    yield "disclosure-empty", disclosed(lambda texts: texts.append(""))
    yield "disclosure-with-padding", disclosed(lambda t: t.__setitem__(0, t[0] + "="))
    yield "disclosure-not-ascii", disclosed(lambda t: t.__setitem__(0, t[0] + "é"))


def _disclosure(salt: str, pointer: str, value: str) -> str:
    return _url64(json.dumps([salt, pointer, value], ensure_ascii=False).encode())


def _url64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _rules() -> Iterator[tuple[str, Exhibit]]:
    def listed(spoil: Callable[[list[dict[str, Any]]], Any], why: str) -> Exhibit:
        return _spoilt(9, lambda d: spoil(d["policies"]))._replace(why=why)

    another = "is not that of the rules in the receipts"
    yield (
        "rule-with-another-source",
        listed(lambda r: r[0].update(source_digest="0" * 64), "has another source here"),
    )
    yield "rule-not-listed", listed(lambda r: r.pop(), another)
    yield (
        "rule-listed-that-never-judged",
        listed(lambda r: r.append({**r[0], "id": "fair-play"}), another),
    )
    yield "rule-listed-twice", listed(lambda r: r.append(r[0]), another)
    yield (
        "rule-described-otherwise",
        listed(lambda r: r[0].update(rationale="It looks better."), "in other words than its own"),
    )


def write(folder: Path = FOLDER) -> None:
    """Write every file, and the list of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    for name, exhibit in exhibits().items():
        (folder / f"{name}.json").write_bytes(exhibit.raw)
    (folder / CONTENTS).write_bytes(contents())


if __name__ == "__main__":
    write()
