"""The examples of people, the rubric and a loop's opening; `examples` has the rest, and all."""

from typing import NamedTuple

from msgspec.structs import replace

import story as s
from domain import commands as c
from domain import facts as f
from scenario import Aside


class Example(NamedTuple):
    """A command that is accepted: the facts before it, who sends it, the facts it makes."""

    command: c.AnyCommand
    made: tuple[f.AnyFact, ...]
    given: tuple[f.AnyFact | Aside, ...] = ()
    by: str = s.HM


SOURCE = c.SourceRef(system="ats", object="scorecard", id="sc-1", revision="7")
TEAM = c.TeamSpec(
    hiring_manager=s.HM,
    tech_lead=s.TECH_LEAD,
    partner=c.PartnerSpec(person=s.PARTNER, function="security"),
    decision_maker=s.DECIDER,
)
REASONS = (c.ReasonSpec(kind="competency", ref="framing", text="Measures first."),)

PEOPLE = (
    Example(
        c.RegisterPerson(id=s.ANA, name="Ana Example", roles=("interviewer",)),
        (s.PERSON_REGISTERED,),
        by=s.ADMIN,
    ),
    Example(
        c.ChangeRoles(person=s.ANA, roles=("approver", "auditor")),
        (replace(s.PERSON_REGISTERED, name=None, roles=("approver", "auditor")),),
        (s.PERSON_REGISTERED,),
        s.ADMIN,
    ),
    Example(
        c.IssueKey(person=s.ANA, roles=("interviewer",), expires_at=s.NOW + 90 * s.DAY),
        (s.KEY_ISSUED,),
        (s.PERSON_REGISTERED,),
        s.ADMIN,
    ),
    Example(c.RevokeKey(key=s.NEW_KEY), (s.KEY_REVOKED,), (s.KEY_ISSUED,), s.ADMIN),
)

RUBRIC = (
    Example(
        c.OpenRequisition(
            id=s.REQUISITION,
            title=s.CONTENT.title,
            team=TEAM,
            jurisdictions=("DE", "US-NY"),
            time_zone="Europe/Berlin",
            legal_entity="Example GmbH",
            openings=2,
        ),
        (s.REQUISITION_OPENED,),
    ),
    Example(
        c.ChangeRequisition(requisition=s.REQUISITION, status="filled"),
        (s.REQUISITION_CHANGED,),
        (s.REQUISITION_OPENED,),
    ),
    Example(
        c.VersionScorecard(
            scorecard="ml-engineer",
            title="ML engineer",
            role_family="ml",
            seniority="senior",
            scale=f.Scale(min=1, max=4),
            competencies=(s.FRAMING, s.SAFETY),
            derived_from=f.Ref(id="starter", version=3),
            change="fewer-words",
        ),
        (s.SCORECARD_VERSIONED,),
        (s.STARTER_VERSIONED, s.POLICY_SET_ADOPTED),
    ),
    Example(
        c.ApproveScorecard(
            scorecard="ml-engineer",
            version=1,
            requisition=s.REQUISITION,
            capacity="tech_lead",
            content_digest=s.CARD_DIGEST,
        ),
        (s.SCORECARD_APPROVED,),
        (s.REQUISITION_OPENED, s.SCORECARD_VERSIONED),
        s.TECH_LEAD,
    ),
    Example(
        c.RetireScorecard(scorecard="ml-engineer", version=1, reason="Two competencies overlap."),
        (s.SCORECARD_RETIRED,),
        (s.SCORECARD_VERSIONED,),
    ),
    Example(
        c.VersionPrompt(
            prompt="rag-design",
            kind="design",
            text="Design a support assistant over stale documents.",
            competency="framing",
            buckets=("design",),
            latency="2 s at p95",
            budget="1 cent an answer",
            privacy="no customer names leave the region",
            failure_mode="documents are a month old",
            cost_false_positive=1.0,
            cost_false_negative=20.5,
            scope="open",
            guidance_minutes=60,
            interfaces=("data", "people"),
            vendor_followup_minutes=5,
            equivalent_to=s.RAG_TWIN,
        ),
        (s.PROMPT_VERSIONED,),
        (s.TWIN_VERSIONED, s.POLICY_SET_ADOPTED),
    ),
    Example(
        c.VersionPosting(
            posting="ml-engineer-berlin",
            requisition=s.REQUISITION,
            title="ML engineer (Berlin)",
            expectations=s.POSTING_CONTENT.expectations,
            knock_outs=s.POSTING_CONTENT.knock_outs,
        ),
        (s.POSTING_VERSIONED,),
        (s.REQUISITION_OPENED, s.POLICY_SET_ADOPTED),
    ),
    Example(
        c.AdoptPolicySet(
            policy_set="default",
            policies=s.POLICY_SET_ADOPTED.policies,
            person_metrics="aggregate",
            agreement="Works agreement 12",
        ),
        (s.POLICY_SET_ADOPTED,),
        by=s.ADMIN,
    ),
)

OPENED = (s.REQUISITION_OPENED, s.LOOP_OPENED)
"""A loop as the commands see it that need no more than its team."""
PLANNED = (*OPENED, s.LOOP_PLANNED)
WITH_RUBRIC = (s.POLICY_SET_ADOPTED, s.SCORECARD_VERSIONED, *PLANNED)
"""A planned loop as feedback sees it: with the scorecard and the rules it pinned."""
TO_DECIDE = (s.PROMPT_VERSIONED, s.POSTING_VERSIONED, *WITH_RUBRIC)
"""A planned loop as stages, gates and decisions see it."""


def loop_at(facts: tuple[f.AnyFact, ...]) -> int:
    """The position of the loop's opening among given facts: something to cite."""
    return facts.index(s.LOOP_OPENED) + 1


OPENING = (
    Example(
        c.OpenLoop(
            id=s.LOOP,
            requisition=s.REQUISITION,
            candidate=c.CandidateSpec(id=s.CANDIDATE, name="Cam Example", email="cam@example.org"),
            scorecard=s.CARD,
            posting=s.POSTING,
        ),
        (s.LOOP_OPENED,),
        (
            s.REQUISITION_OPENED,
            s.SCORECARD_VERSIONED,
            s.SCORECARD_APPROVED,
            s.POSTING_VERSIONED,
            s.POLICY_SET_ADOPTED,
        ),
    ),
    Example(
        c.PlanLoop(
            loop=s.LOOP,
            sessions=(
                c.SessionSpec(
                    id="design",
                    stage="onsite",
                    kind="panel",
                    competencies=("framing", "safety"),
                    prompts=(s.RAG,),
                    interviewers=(s.ANA, s.BEN),
                    minutes=60,
                ),
                c.SessionSpec(
                    id="task",
                    stage="homework",
                    kind="take_home",
                    competencies=("safety",),
                    prompts=(),
                    interviewers=(s.BEN,),
                    minutes=120,
                ),
            ),
        ),
        (s.LOOP_PLANNED, s.STANDARD_SET),
        (s.POLICY_SET_ADOPTED, s.SCORECARD_VERSIONED, s.PROMPT_VERSIONED, *OPENED),
    ),
    Example(
        c.GiveProcessNotice(
            loop=s.LOOP, rounds=2, attendees=(s.ANA, s.BEN), decide_by=s.NOW + 10 * s.DAY
        ),
        (s.NOTICE_GIVEN,),
        OPENED,
    ),
    Example(
        c.DiscloseRelationship(loop=s.LOOP, relationship="colleague"),
        (s.RELATIONSHIP_DISCLOSED,),
        OPENED,
        s.ANA,
    ),
)
