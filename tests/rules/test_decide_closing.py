"""Offers, withdrawals, closing, reopening and outcomes."""

import pytest
from msgspec.structs import replace

import story as s
import story_later as later
from domain import commands as c
from domain import facts as f
from domain.refusals import RefusedByRule
from examples_early import OPENED
from scenario import aside, given

CLOSE = c.CloseLoop(loop=s.LOOP, disposition="hired")

HIRE = replace(later.DECISION_MADE, gate=1)
NO_HIRE = replace(HIRE, decision="no_hire")
REVERSED = replace(later.DECISION_REVERSED, reverses=3)
SEEN_HIRE = later.DECISION_OBSERVED
SEEN_NO_HIRE = replace(SEEN_HIRE, decision="no_hire")
REJECTED = replace(later.STAGE_DECIDED, outcome="reject")
KNOCKED_OUT = replace(REJECTED, reasons=(replace(later.REASONS[0], kind="knock_out"),))
FILLED = s.REQUISITION_CHANGED
CANCELLED = replace(FILLED, status="cancelled")

BORNE_OUT: dict[str, tuple[f.Disposition, tuple[f.AnyFact, ...]]] = {
    "hired": ("hired", (HIRE,)),
    "hired-elsewhere": ("hired", (SEEN_HIRE,)),
    "hired-elsewhere-after-a-reversal": ("hired", (NO_HIRE, REVERSED, SEEN_HIRE)),
    "hired-elsewhere-against-our-decision": ("hired", (NO_HIRE, SEEN_HIRE)),
    "hired-again": ("hired", (NO_HIRE, REVERSED, HIRE)),
    "rejected": ("rejected", (NO_HIRE,)),
    "rejected-elsewhere": ("rejected", (SEEN_HIRE, SEEN_NO_HIRE)),
    "rejected-at-a-stage": ("rejected", (REJECTED,)),
    "rejected-for-a-knock-out": ("rejected", (KNOCKED_OUT,)),
    "knock-out": ("knock_out", (later.STAGE_DECIDED, KNOCKED_OUT)),
    "withdrawn": ("withdrawn", (later.WITHDREW,)),
    "filled": ("filled", (FILLED,)),
    "cancelled": ("cancelled", (CANCELLED,)),
}
NEEDS: dict[f.Disposition, str] = {
    "hired": "a decision to hire",
    "rejected": "a decision not to hire, or an accepted rejection at a stage",
    "knock_out": "an accepted rejection at a stage for a posted knock-out",
    "withdrawn": "the candidate's withdrawal",
    "filled": "a requisition that is filled",
    "cancelled": "a requisition that is cancelled",
}
NOT_BORNE_OUT: dict[str, tuple[f.Disposition, tuple[f.AnyFact, ...]]] = {
    "hired-by-nobody": ("hired", ()),
    "hired-against-the-decision": ("hired", (NO_HIRE,)),
    "hired-after-a-reversal": ("hired", (HIRE, REVERSED)),
    "hired-as-seen-before-a-reversal": ("hired", (HIRE, SEEN_HIRE, REVERSED)),
    "hired-elsewhere-before-our-decision": ("hired", (SEEN_HIRE, NO_HIRE)),
    "rejected-though-hired-elsewhere": ("rejected", (NO_HIRE, SEEN_HIRE)),
    "hired-for-an-offer": ("hired", (later.OFFER_RECORDED,)),
    "rejected-by-nobody": ("rejected", ()),
    "rejected-against-the-decision": ("rejected", (HIRE,)),
    "rejected-after-advancing": ("rejected", (REJECTED, later.STAGE_DECIDED)),
    "rejected-by-a-refused-attempt": ("rejected", ()),
    "knock-out-for-another-reason": ("knock_out", (REJECTED,)),
    "knock-out-that-advanced": ("knock_out", (replace(KNOCKED_OUT, outcome="advance"),)),
    "withdrawn-by-nobody": ("withdrawn", ()),
    "withdrawn-before-reopening": (
        "withdrawn",
        (later.WITHDREW, later.CLOSED, later.REOPENED),
    ),
    "filled-while-open": ("filled", ()),
    "filled-while-cancelled": ("filled", (CANCELLED,)),
    "cancelled-while-filled": ("cancelled", (FILLED,)),
    "cancelled-while-open": ("cancelled", (CANCELLED, replace(FILLED, status="open"))),
}


@pytest.mark.parametrize(("disposition", "before"), BORNE_OUT.values(), ids=BORNE_OUT)
def test_a_loop_is_closed_as_the_record_bears_out(
    disposition: f.Disposition, before: tuple[f.AnyFact, ...]
) -> None:
    """Every disposition rests on what was recorded before."""
    given(*OPENED, *before).when(replace(CLOSE, disposition=disposition)).then(
        replace(later.CLOSED, disposition=disposition, reason=None)
    )


@pytest.mark.parametrize(("disposition", "before"), NOT_BORNE_OUT.values(), ids=NOT_BORNE_OUT)
def test_a_loop_is_not_closed_as_nothing_bears_out(
    disposition: f.Disposition, before: tuple[f.AnyFact, ...]
) -> None:
    """The refusal says what the disposition needs; what was only tried bears out nothing."""
    tried = aside(later.DECISION_REFUSED, later.STAGE_DECISION_REFUSED, later.GATE_REFUSED)
    outcome = given(*OPENED, *before, *tried).when(replace(CLOSE, disposition=disposition))
    wanted = NEEDS[disposition]
    outcome.refused(
        RefusedByRule,
        f"nothing in the record bears out the disposition: it needs {wanted}",
    )
    assert isinstance(outcome.drafted, RefusedByRule)
    (finding,) = outcome.drafted.findings
    assert finding.policy == "loop-state"
    assert finding.cure == (f"record {wanted} first, or close with the disposition that is true")


def test_a_closed_loop_is_not_closed_again() -> None:
    """The first closing stands until the loop is reopened."""
    outcome = given(*OPENED, later.WITHDREW, later.CLOSED).when(
        replace(CLOSE, disposition="withdrawn")
    )
    outcome.refused(RefusedByRule, "the loop is closed already")
    assert isinstance(outcome.drafted, RefusedByRule)
    assert outcome.drafted.findings[0].positions == (4,)


def test_a_reopened_loop_is_closed_again() -> None:
    """What bore out the first closing may bear out the second."""
    before = (HIRE, later.CLOSED, later.REOPENED)
    given(*OPENED, *before).when(CLOSE, by=s.DECIDER).then(
        replace(
            later.CLOSED,
            stamp=replace(later.CLOSED.stamp, by=s.DECIDER),
            disposition="hired",
            reason=None,
        )
    )


@pytest.mark.parametrize(
    "before", [(), (later.CLOSED, later.REOPENED)], ids=["never-closed", "reopened"]
)
def test_only_a_closed_loop_is_reopened(before: tuple[f.AnyFact, ...]) -> None:
    """There is nothing to take up again."""
    given(*OPENED, *before).when(
        c.ReopenLoop(loop=s.LOOP, reason="Came back."), by=s.DECIDER
    ).refused(RefusedByRule, "the loop is not closed")


@pytest.mark.parametrize("status", ["made", "accepted", "declined", "rescinded"])
def test_an_offer_is_reported_wherever_it_stands(status: f.OfferStatus) -> None:
    """A report is recorded also where no decision of ours stands behind it."""
    given(*OPENED).when(c.RecordOffer(loop=s.LOOP, status=status)).then(
        replace(later.OFFER_RECORDED, status=status)
    )


def test_a_withdrawal_without_a_reason_is_recorded() -> None:
    """A candidate owes nobody a reason."""
    given(*OPENED).when(c.ReportWithdrawal(loop=s.LOOP, code="unknown")).then(
        replace(later.WITHDREW, code="unknown", reason=None)
    )


def test_an_outcome_is_recorded_after_the_loop_was_closed() -> None:
    """What became of a decision is learnt long after it."""
    asked = c.RecordOutcome(
        loop=s.LOOP,
        dimension="retention",
        value="left",
        horizon_months=12,
        observed_from="hris",
        lawful_basis="contract",
        rater_saw_scores=False,
    )
    given(*OPENED, HIRE, later.CLOSED).when(asked).then(
        replace(
            later.OUTCOME_RECORDED,
            dimension="retention",
            value="left",
            horizon_months=12,
            observed_from="hris",
            coverage=None,
            rater_saw_scores=False,
        )
    )
