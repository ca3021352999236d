"""Requisitions, scorecards, prompts, postings and policy sets."""

from collections.abc import Iterable

from domain import commands as c
from domain import facts as f
from domain import tags
from domain.case import Draft
from domain.decide.context import Context
from domain.decide.entitled import check_requisition, check_role
from domain.findings import Judged
from domain.refusals import Exists, Forbidden, Meaningless, Missing
from domain.state import Requisition, World
from domain.values import content_digest


def _team(spec: c.TeamSpec) -> f.Team:
    return f.Team(
        hiring_manager=spec.hiring_manager,
        tech_lead=spec.tech_lead,
        partner=f.Partner(person=spec.partner.person, function=spec.partner.function),
        decision_maker=spec.decision_maker,
    )


def open_requisition(command: c.OpenRequisition, world: World, context: Context) -> Draft:
    """A requisition with its hiring team."""
    check_role(command, context)
    if command.id in world.requisitions:
        raise Exists("a requisition has this id already")
    return Draft(
        fact=f.RequisitionOpened(
            stamp=context.stamp(tags.requisition(command.id)),
            requisition=command.id,
            content=f.RequisitionContent(
                title=command.title,
                team=_team(command.team),
                jurisdictions=command.jurisdictions,
                time_zone=command.time_zone,
                legal_entity=command.legal_entity,
                openings=command.openings,
            ),
        )
    )


def change_requisition(command: c.ChangeRequisition, world: World, context: Context) -> Draft:
    """The fields named change, the rest stays."""
    requisition = known_requisition(world, command.requisition)
    check_requisition(command, requisition, context)
    old = requisition.content
    return Draft(
        fact=f.RequisitionChanged(
            stamp=context.stamp(tags.requisition(command.requisition)),
            requisition=command.requisition,
            content=f.RequisitionContent(
                title=command.title or old.title,
                team=_team(command.team) if command.team else old.team,
                jurisdictions=command.jurisdictions or old.jurisdictions,
                time_zone=command.time_zone or old.time_zone,
                legal_entity=command.legal_entity or old.legal_entity,
                openings=command.openings or old.openings,
            ),
            status=command.status or requisition.status,
        )
    )


def known_requisition(world: World, slug: str, pointer: str | None = None) -> Requisition:
    """The requisition, or `Missing`; `pointer` where a field of the body names it."""
    if slug not in world.requisitions:
        raise Missing("no such requisition; open it first", pointer=pointer)
    return world.requisitions[slug]


def _unique(values: Iterable[str], pointer: str) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise Meaningless("an id stands twice; each names one thing", pointer=pointer)
        seen.add(value)


def version_scorecard(command: c.VersionScorecard, world: World, context: Context) -> Draft:
    """The next version of a scorecard; rules judge it when it is adopted."""
    check_role(command, context)
    if command.scale.min >= command.scale.max:
        raise Meaningless("the scale's min must be below its max", pointer="/scale")
    _unique((x.id for x in command.competencies), "/competencies")
    for number, competency in enumerate(command.competencies):
        where = f"/competencies/{number}"
        _unique((p.id for p in competency.probes), f"{where}/probes")
        _unique((o.code for o in competency.observations), f"{where}/observations")
        for rating in competency.anchors:
            if not command.scale.min <= int(rating) <= command.scale.max:
                raise Meaningless("an anchor is off the scale", pointer=f"{where}/anchors")
    if command.derived_from is not None and world.scorecard(command.derived_from) is None:
        raise Missing("no such scorecard version to derive from", pointer="/derived_from")
    content = f.ScorecardContent(
        title=command.title,
        role_family=command.role_family,
        seniority=command.seniority,
        scale=command.scale,
        competencies=command.competencies,
    )
    card = world.scorecards.get(command.scorecard)
    return Draft(
        fact=f.ScorecardVersioned(
            stamp=context.stamp(tags.scorecard(command.scorecard)),
            scorecard=command.scorecard,
            version=len(card.versions) + 1 if card else 1,
            content=content,
            content_digest=content_digest(content),
            derived_from=command.derived_from,
            change=command.change,
            judged=Judged(now=context.now),
        ),
        moment="adopt",
    )


def approve_scorecard(command: c.ApproveScorecard, world: World, context: Context) -> Draft:
    """An approval of exactly this content, in a capacity that the team gives the approver."""
    check_role(command, context)
    ref = f.Ref(id=command.scorecard, version=command.version)
    found = world.scorecard(ref)
    if found is None:
        raise Missing("no such version of this scorecard")
    team = known_requisition(world, command.requisition, "/requisition").content.team
    named = {
        "hiring_manager": team.hiring_manager,
        "tech_lead": team.tech_lead,
        "partner": team.partner.person,
    }[command.capacity]
    if named != context.actor:
        raise Forbidden("the requisition's team names someone else in this capacity")
    if command.content_digest != found.fact.content_digest:
        raise Meaningless(
            "this digest is not that of the version; read it again and approve what you read",
            pointer="/content_digest",
        )
    return Draft(
        fact=f.ScorecardApproved(
            stamp=context.stamp(
                tags.scorecard(command.scorecard), tags.requisition(command.requisition)
            ),
            scorecard=command.scorecard,
            version=command.version,
            requisition=command.requisition,
            capacity=command.capacity,
            content_digest=command.content_digest,
        )
    )


def retire_scorecard(command: c.RetireScorecard, world: World, context: Context) -> Draft:
    """A version that new loops can no longer pin."""
    check_role(command, context)
    if world.scorecard(f.Ref(id=command.scorecard, version=command.version)) is None:
        raise Missing("no such version of this scorecard")
    retired = world.scorecards[command.scorecard].retirements
    if any(r.fact.version == command.version for r in retired):
        raise Exists("this version is retired already")
    return Draft(
        fact=f.ScorecardRetired(
            stamp=context.stamp(tags.scorecard(command.scorecard)),
            scorecard=command.scorecard,
            version=command.version,
            reason=command.reason,
        )
    )


def version_prompt(command: c.VersionPrompt, world: World, context: Context) -> Draft:
    """The next version of a prompt."""
    check_role(command, context)
    if command.equivalent_to is not None and world.prompt(command.equivalent_to) is None:
        raise Missing("no such prompt version to be equivalent to", pointer="/equivalent_to")
    # Found under the prompt it stands in for too: who asks one of them learns of the other.
    same = (command.equivalent_to.id,) if command.equivalent_to else ()
    slugs = dict.fromkeys((command.prompt, *same))
    return Draft(
        fact=f.PromptVersioned(
            stamp=context.stamp(*(tags.prompt(slug) for slug in slugs)),
            prompt=command.prompt,
            version=len(world.prompts.get(command.prompt, ())) + 1,
            content=f.PromptContent(
                kind=command.kind,
                text=command.text,
                competency=command.competency,
                buckets=command.buckets,
                latency=command.latency,
                budget=command.budget,
                privacy=command.privacy,
                failure_mode=command.failure_mode,
                cost_false_positive=command.cost_false_positive,
                cost_false_negative=command.cost_false_negative,
                scope=command.scope,
                guidance_minutes=command.guidance_minutes,
                interfaces=command.interfaces,
                vendor_followup_minutes=command.vendor_followup_minutes,
                equivalent_to=command.equivalent_to,
            ),
            judged=Judged(now=context.now),
        ),
        moment="adopt",
    )


def version_posting(command: c.VersionPosting, world: World, context: Context) -> Draft:
    """The next version of a public listing."""
    requisition = known_requisition(world, command.requisition, "/requisition")
    check_requisition(command, requisition, context)
    _unique((k.id for k in command.knock_outs), "/knock_outs")
    earlier = world.postings.get(command.posting, ())
    if earlier and earlier[-1].fact.content.requisition != command.requisition:
        raise Meaningless("this posting belongs to another requisition", pointer="/requisition")
    return Draft(
        fact=f.PostingVersioned(
            stamp=context.stamp(
                tags.posting(command.posting), tags.requisition(command.requisition)
            ),
            posting=command.posting,
            version=len(earlier) + 1,
            content=f.PostingContent(
                requisition=command.requisition,
                title=command.title,
                expectations=command.expectations,
                knock_outs=command.knock_outs,
            ),
            judged=Judged(now=context.now),
        ),
        moment="adopt",
    )


def adopt_policy_set(command: c.AdoptPolicySet, world: World, context: Context) -> Draft:
    """The set of rules that loops opened from now on pin."""
    check_role(command, context)
    _unique((p.id for p in command.policies), "/policies")
    if command.person_metrics != "off" and command.agreement is None:
        raise Meaningless(
            "numbers about interviewers rest on an agreement: name it, or leave them off",
            pointer="/agreement",
        )
    earlier = [s for s in world.policy_sets if s.fact.policy_set == command.policy_set]
    return Draft(
        fact=f.PolicySetAdopted(
            stamp=context.stamp(tags.policy_set(command.policy_set), tags.policy_sets()),
            policy_set=command.policy_set,
            version=len(earlier) + 1,
            policies=command.policies,
            person_metrics=command.person_metrics,
            agreement=command.agreement,
        )
    )
