"""The ten steps on dossiers that are as they should be, and what the verifier itself is given."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from cryptography.x509 import Certificate
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain import commands as c
from domain import facts as f
from domain.boundary import boundary
from domain.codec import encode
from domain.findings import Item
from dossiers import (
    KEY,
    NOW,
    OTHER_KEY,
    VKEY,
    WITNESS,
    LogKey,
    as_file,
    checkpoint_of,
    dossier_of,
    rejected_dossier,
    small_dossier,
    valid_dossier,
    withheld_dossier,
)
from ledger.proof.dossier import decode_dossier, encode_dossier
from ledger.proof.note import NoteError
from ledger.proof.verdict import STEP_NAMES, Verdict
from ledger.proof.verify import verify
from ledger.proof.witness_policy import WitnessPolicy, parse_policy
from museum_of_lies import told
from policies import Catalogue
from policies import _sample as sample
from told_log import ToldLog, decided_log, installed, small_before_the_decision, small_log
from tsa import make_authority, needs_openssl

SECOND_WITNESS = LogKey("second.example", b"a second witness")
SECONDS = int(NOW.timestamp())


def checked(
    raw: bytes,
    *,
    vkeys: Sequence[str] = (VKEY,),
    policy: WitnessPolicy | None = None,
    rules: Catalogue | None = None,
    now: datetime = NOW,
    roots: Sequence[Certificate] | None = None,
) -> Verdict:
    """The verdict of a verifier with the right key, unless it is given something else."""
    return verify(raw, vkeys, policy, rules or installed(), now=now, roots=roots)


def refused(verdict: Verdict) -> tuple[int, str]:
    """The step that failed, and why."""
    assert verdict.failed is not None, "it was accepted"
    return verdict.failed.number, verdict.failed.reason


def test_a_valid_dossier_passes_every_step() -> None:
    """Each of the ten says what it found."""
    steps = checked(valid_dossier()).steps
    assert [step.name for step in steps] == list(STEP_NAMES)
    assert [step.outcome for step in steps] == ["passed"] * 9 + ["not applicable"]
    assert steps[1].reason == (
        "signed by ledger.example/log over 49 facts; witnesses not checked: no policy given"
    )
    assert steps[3].reason == "hire at position 47"
    assert steps[8].reason == (
        "28 receipts of 3 facts come out the same, and 22 of what came before"
    )


def test_withholding_everything_leaves_it_verifying() -> None:
    """Digests stay, words go: the verdict is the same."""
    assert checked(withheld_dossier()).accepted
    seventh = checked(withheld_dossier()).steps[6]
    assert seventh.reason == "0 of 21 personal values are disclosed; the rest are withheld"


def test_what_is_wholly_disclosed_is_not_said_to_be_withheld() -> None:
    """The count, and no word of a rest that there is not."""
    seventh = checked(valid_dossier()).steps[6]
    assert seventh.reason == "21 of 21 personal values are disclosed"


def test_a_rejection_at_a_stage_passes_every_step() -> None:
    """It has a basis and receipts as a decision has; what was decided, and where, is said."""
    verdict = checked(rejected_dossier())
    assert [step.outcome for step in verdict.steps] == ["passed"] * 9 + ["not applicable"]
    assert verdict.steps[3].reason == "reject at stage screening at position 28"
    assert verdict.as_recorded == ()


def test_spaces_between_members_do_not_matter() -> None:
    """A file that was formatted anew, its members in another order, says the same."""
    file = json.loads(small_dossier())
    for indent in (None, 4):
        assert checked(json.dumps(file, indent=indent, sort_keys=True).encode()).accepted


def test_what_is_written_is_what_was_read() -> None:
    """The product writes the very bytes that the tests' own writer does."""
    assert encode_dossier(decode_dossier(valid_dossier())) == valid_dossier()


# ---------------------------------------------------------------- step 2: keys and witnesses


def cosigned(*witnesses: LogKey, at: int = SECONDS, keys: tuple[LogKey, ...] = (KEY,)) -> bytes:
    """The dossier with cosignatures under its checkpoint."""
    file = dossier_of(small_log())
    text = checkpoint_of(small_log())
    lines = [key.line(text) for key in keys]
    lines += [witness.cosignature_line(text, at) for witness in witnesses]
    return as_file({**file, "checkpoint": f"{text}\n{''.join(lines)}"})


def policy(quorum: str, *lines: str) -> WitnessPolicy:
    """A policy over two witnesses, `w1` and `w2`, in the group `both`."""
    witnesses = [
        f"witness w1 {WITNESS.cosigner_vkey}",
        f"witness w2 {SECOND_WITNESS.cosigner_vkey}",
        "group both all w1 w2",
    ]
    return parse_policy("\n".join([*witnesses, *lines, f"quorum {quorum}", ""]).encode())


def test_a_quorum_of_witnesses_counts() -> None:
    """One witness is enough for a policy that wants one, and both for one that wants both."""
    both = cosigned(WITNESS, SECOND_WITNESS)
    assert checked(both, policy=policy("both")).accepted
    one = checked(cosigned(WITNESS), policy=policy("w1"))
    assert one.steps[1].reason.endswith("; 1 witness cosigned, as the policy asks")
    assert refused(checked(cosigned(WITNESS), policy=policy("both"))) == (
        2,
        "1 witness of the policy cosigned the checkpoint, which is not the quorum it asks for.",
    )
    assert checked(small_dossier(), policy=policy("none")).accepted
    assert not checked(small_dossier(), policy=policy("w1")).accepted


def test_a_cosignature_is_the_witnesss_own_and_not_of_the_future() -> None:
    """Five minutes ahead may be a clock; six are not."""
    assert checked(cosigned(WITNESS, at=SECONDS + 290), policy=policy("w1")).accepted
    number, reason = refused(checked(cosigned(WITNESS, at=SECONDS + 360), policy=policy("w1")))
    assert (number, "in the future" in reason) == (2, True)
    forged = cosigned(WITNESS).replace(
        WITNESS.cosignature_line(checkpoint_of(small_log()), SECONDS).strip().encode(),
        WITNESS.cosignature_line("another\n1\n" + "A" * 43 + "=\n", SECONDS).strip().encode(),
    )
    assert forged != cosigned(WITNESS)
    assert refused(checked(forged, policy=policy("w1")))[0] == 2
    assert checked(forged).accepted, "nobody who gives no policy looks at witnesses"


def test_nobody_cosigns_what_is_not_there_yet() -> None:
    """A witness older than the decision in its checkpoint: a record that was made up ahead."""
    decided = int(small_log().entries[-2].fact.stamp.recorded.timestamp())
    slow = checked(cosigned(WITNESS, at=decided - 290), policy=policy("w1"))
    assert slow.accepted, slow.failed
    number, reason = refused(checked(cosigned(WITNESS, at=decided - 310), policy=policy("w1")))
    assert (number, "The witness w1 saw the checkpoint at" in reason) == (10, True)
    assert checked(cosigned(WITNESS, at=0), policy=policy("w1")).accepted, "it states no time"


def test_a_slow_witness_spoils_nothing_that_a_quorum_saw() -> None:
    """Two cosigned, one by a clock that is far behind: it neither counts nor harms."""
    decided = int(small_log().entries[-2].fact.stamp.recorded.timestamp())
    text = checkpoint_of(small_log())
    lines = KEY.line(text) + WITNESS.cosignature_line(text, decided)
    lines += SECOND_WITNESS.cosignature_line(text, decided - 400)
    both = as_file({**dossier_of(small_log()), "checkpoint": f"{text}\n{lines}"})
    assert checked(both, policy=policy("w1")).accepted
    number, reason = refused(checked(both, policy=policy("both")))
    assert (number, "The witness w2 saw the checkpoint at" in reason) == (10, True)


def test_a_policy_for_other_logs_refuses_this_one() -> None:
    """A policy that names logs speaks of those only."""
    ours, others = f"log {VKEY}", f"log {OTHER_KEY.vkey}"
    assert checked(cosigned(WITNESS), policy=policy("w1", ours)).accepted
    assert refused(checked(cosigned(WITNESS), policy=policy("w1", others))) == (
        2,
        "The witness policy is about other logs than the one that signed.",
    )


def test_either_key_of_a_rotation_will_do() -> None:
    """While both keys sign, whoever was given the old one or the new one verifies."""
    turned = cosigned(keys=(KEY, OTHER_KEY))
    for vkeys in ([VKEY], [OTHER_KEY.vkey], [VKEY, OTHER_KEY.vkey], [VKEY, VKEY]):
        assert checked(turned, vkeys=vkeys).accepted
    assert not checked(small_dossier(), vkeys=[OTHER_KEY.vkey]).accepted
    assert not checked(small_dossier(), vkeys=[]).accepted
    with pytest.raises(NoteError):
        checked(small_dossier(), vkeys=["ledger.example/log+00000000+AAAA"])


# ---------------------------------------------------------------- steps 6 to 9


def test_nothing_in_it_comes_from_the_future() -> None:
    """Verified with a clock that is an hour before the decision, it is refused."""
    decided = decided_log().entries[46].fact.stamp.recorded
    assert refused(checked(valid_dossier(), now=decided - timedelta(hours=1)))[0] == 6
    assert checked(valid_dossier(), now=decided).accepted


def test_a_rule_that_is_not_installed_is_named() -> None:
    """The verifier says which version of which rule it lacks."""
    whole = installed()
    less = [rule for rule in whole.current.values() if rule.id != "feedback-on-time"]
    number, reason = refused(checked(valid_dossier(), rules=Catalogue(less, (), whole.digests)))
    assert number == 9
    assert reason.startswith("Version 1 of the rule feedback-on-time judged, and is not installed")


def test_a_rule_of_another_source_is_named() -> None:
    """The verifier compares the digest in the file with that of its own rule."""
    whole = installed()
    digests = {**whole.digests, ("feedback-on-time", 1): "0" * 64}
    other = Catalogue(whole.current.values(), (), digests)
    number, reason = refused(checked(valid_dossier(), rules=other))
    assert (number, "feedback-on-time" in reason) == (9, True)


def test_stages_gates_and_decisions_depend_on_the_same() -> None:
    """One command's boundary stands for that of all three, as step 9 takes it."""
    world = decided_log().world
    loop = sample.LOOP
    asked: list[c.AnyCommand] = [
        c.PassEvidenceGate(loop=loop),
        c.DecideStage(loop=loop, stage="screening", outcome="advance"),
        c.MakeDecision(loop=loop, decision="hire", reasons=(sample.reason("legal"),)),
    ]
    items: set[tuple[Item, ...]] = {boundary(one, world, sample.DECIDER) for one in asked}
    assert len(items) == 1


def test_a_prompt_that_the_ledger_never_knew_is_told() -> None:
    """A session may report one; the basis asked for it and proves that nothing was there."""
    log = small_before_the_decision(sample.ref("asked-on-a-whim")).decided()
    verdict = checked(as_file(dossier_of(log)))
    assert verdict.accepted, verdict.failed
    assert verdict.steps[7].reason.endswith("2 prompts, 1 prompt that the ledger never knew")


def test_a_leaf_is_limited_in_bytes_and_is_json_that_all_read_alike() -> None:
    """Letters of two bytes count twice; NaN is no number that every reader has."""
    file = dossier_of(small_log())
    file["facts"][3]["leaf"] += "é" * 33_000
    assert refused(checked(as_file(file))) == (
        1,
        "A fact of the file has more than 65535 bytes; no leaf has.",
    )

    def not_a_number(fact: f.AnyFact, _: ToldLog) -> f.AnyFact | bytes:
        if not isinstance(fact, f.FeedbackSubmitted):
            return fact
        return encode(fact).replace(b'"rating":3', b'"rating":NaN')

    assert refused(checked(as_file(told(not_a_number))))[0] == 4


def test_a_verifier_that_breaks_has_accepted_nothing() -> None:
    """Whatever a step raises, it failed, and says by what."""

    class Broken(Catalogue):
        """Rules that cannot be asked."""

        def replay(self, *_: object, **__: object) -> NoReturn:
            """Not today."""
            raise OSError

    whole = installed()
    broken = Broken(whole.current.values(), (), whole.digests)
    assert refused(checked(valid_dossier(), rules=broken)) == (
        9,
        "This step could not be completed (OSError).",
    )


# ---------------------------------------------------------------- step 10, and any bytes


def test_timestamps_without_roots_are_said_not_to_be_checked() -> None:
    """They are never passed in silence, and no roots are taken from the file."""
    token = base64.b64encode(b"no token").decode()
    stamped = as_file({**dossier_of(small_log()), "timestamps": [token]})
    tenth = checked(stamped).steps[9]
    assert (tenth.outcome, tenth.reason) == (
        "not checked",
        "no root certificates of a timestamp authority were given",
    )


@needs_openssl
def test_timestamps_are_checked_against_the_roots_that_are_given(tmp_path: Path) -> None:
    """A token over this checkpoint by an authority that is trusted, and no other, passes."""
    tsa, stranger = (make_authority(tmp_path / name) for name in ("tsa", "stranger"))
    file = dossier_of(small_log())
    good, other = (tsa.token(about) for about in (file["checkpoint"].encode(), b"something else"))

    def stamped(*tokens: bytes) -> bytes:
        return as_file({**file, "timestamps": [base64.b64encode(t).decode() for t in tokens]})

    now = datetime.now(UTC)
    tenth = checked(stamped(good), roots=tsa.roots, now=now).steps[9]
    assert tenth.outcome == "passed"
    assert tenth.reason.startswith("the checkpoint existed at 20")
    for tokens, roots, moment in (
        ((other,), tsa.roots, now),
        ((good, other), tsa.roots, now),
        ((good,), stranger.roots, now),
        ((good[:-1],), tsa.roots, now),
        ((b"no token",), tsa.roots, now),
        ((good,), tsa.roots, now - timedelta(hours=1)),
    ):
        assert refused(checked(stamped(*tokens), roots=roots, now=moment))[0] == 10


@needs_openssl
def test_a_timestamp_that_is_asked_for_cannot_be_left_out(tmp_path: Path) -> None:
    """Whoever hands the file over could strip it of its token."""
    roots = make_authority(tmp_path / "tsa").roots
    number, reason = refused(checked(small_dossier(), roots=roots))
    assert (number, "the file has no timestamp" in reason) == (10, True)


@needs_openssl
def test_no_authority_saw_what_was_not_there_yet(tmp_path: Path) -> None:
    """Facts that claim to be of next year, under a token of today: made up ahead."""
    tsa = make_authority(tmp_path / "tsa")

    def in_ten_years(fact: f.AnyFact, _: ToldLog) -> f.AnyFact:
        if not isinstance(fact, f.DecisionMade | f.OfferRecorded):
            return fact
        later = fact.stamp.recorded + timedelta(days=3650)
        moved = replace(fact, stamp=replace(fact.stamp, at=later, recorded=later))
        if isinstance(moved, f.DecisionMade):
            return replace(moved, judged=replace(moved.judged, now=later))
        return moved

    file = told(in_ten_years)
    token = base64.b64encode(tsa.token(file["checkpoint"].encode())).decode()
    stamped = as_file({**file, "timestamps": [token]})
    now = datetime.now(UTC) + timedelta(days=4000)
    number, reason = refused(checked(stamped, roots=tsa.roots, now=now))
    assert (number, "before the decision in it was recorded" in reason) == (10, True)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    """Whatever it is given, there is a verdict of ten steps."""
    verdict = checked(raw, now=datetime(2026, 6, 1, tzinfo=UTC))
    assert len(verdict.steps) == 10
    assert refused(verdict)[0] == 1
