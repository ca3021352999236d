"""Rejections at a stage that need less than two independent interviewers, and why."""

from domain import facts as f
from domain.case import Case
from policies._independence import counted_forms


def posted_knock_out(case: Case, rejection: f.StageDecided) -> bool:
    """Whether a reason names a knock-out that the pinned posting states."""
    posted = {knock_out.id for knock_out in case.posting.knock_outs}
    return any(r.kind == "knock_out" and r.ref in posted for r in rejection.reasons)


def second_reader(case: Case, rejection: f.StageDecided) -> bool:
    """Whether someone other than who rejects wrote independent evidence on this stage."""
    loop = case.loop
    for person, forms in counted_forms(case).items():
        for written in forms:
            session = loop.session(written.fact.session)
            at_stage = session is not None and session.stage == rejection.stage
            if at_stage and person != rejection.stamp.by:
                return True
    return False
