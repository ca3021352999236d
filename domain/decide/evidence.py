"""Sessions, take-homes, feedback and references: reports, recorded whenever they can be true."""

from domain import commands as c
from domain import facts as f
from domain import tags
from domain.case import Draft
from domain.decide.context import Context
from domain.decide.entitled import check_loop, owes
from domain.decide.opening import known_loop
from domain.refusals import Exists, Forbidden, Meaningless, Missing
from domain.state import Loop, World
from domain.values import Digest, count_words, private, private_or_none

SessionReport = (
    c.CompleteSession
    | c.CancelSession
    | c.ReportNoShow
    | c.ReplaceInterviewer
    | c.AssignTakeHome
    | c.ReceiveTakeHome
    | c.AnonymiseTakeHome
)


def report_session(command: SessionReport, world: World, context: Context) -> Draft:
    """What happened to a planned session."""
    loop = known_loop(world, command.loop)
    check_loop(command, loop, world, context)
    planned = loop.session(command.session)
    if planned is None:
        raise Missing("no plan of this loop has such a session; plan it first")
    match command:
        case c.CompleteSession():
            return Draft(fact=_completed(command, planned, loop, world, context))
        case c.AssignTakeHome() | c.ReceiveTakeHome() | c.AnonymiseTakeHome():
            return Draft(fact=_take_home(command, loop, context))
        case c.CancelSession() | c.ReportNoShow() | c.ReplaceInterviewer():
            return Draft(fact=_change(command, loop, context))


def _completed(
    command: c.CompleteSession,
    planned: f.PlannedSession,
    loop: Loop,
    world: World,
    context: Context,
) -> f.SessionCompleted:
    if command.ended_at < command.started_at:
        raise Meaningless("the session ended before it started", pointer="/ended_at")
    context.not_ahead(command.ended_at, "/ended_at")
    for number, ref in enumerate(command.prompts):
        if ref.id in world.prompts and world.prompt(ref) is None:
            raise Missing("no such version of this prompt", pointer=f"/prompts/{number}")
    subject = loop.opened.fact.candidate
    return f.SessionCompleted(
        stamp=context.stamp(tags.loop(loop.handle)),
        loop=loop.handle,
        session=command.session,
        stage=planned.stage,
        started_at=command.started_at,
        ended_at=command.ended_at,
        attendees=command.attendees,
        prompts=command.prompts,
        probes=tuple(
            f.ProbeGiven(
                id=p.id,
                asked=p.asked,
                skipped_because=private_or_none(p.skipped_because, subject),
            )
            for p in command.probes
        ),
    )


def _change(
    command: c.CancelSession | c.ReportNoShow | c.ReplaceInterviewer, loop: Loop, context: Context
) -> f.SessionCancelled | f.CandidateNoShow | f.InterviewerReplaced:
    stamp = context.stamp(tags.loop(loop.handle))
    subject = loop.opened.fact.candidate
    match command:
        case c.CancelSession():
            return f.SessionCancelled(
                stamp=stamp,
                loop=loop.handle,
                session=command.session,
                reason=private(command.reason, subject),
            )
        case c.ReportNoShow():
            return f.CandidateNoShow(
                stamp=stamp, loop=loop.handle, session=command.session, who=command.who
            )
        case c.ReplaceInterviewer():
            if command.replaced not in loop.interviewers(command.session):
                raise Meaningless("this person was not to interview there", pointer="/from")
            return f.InterviewerReplaced(
                stamp=stamp,
                loop=loop.handle,
                session=command.session,
                replaced=command.replaced,
                replacement=command.replacement,
                reason=private(command.reason, command.replaced),
            )


def _take_home(
    command: c.AssignTakeHome | c.ReceiveTakeHome | c.AnonymiseTakeHome,
    loop: Loop,
    context: Context,
) -> f.TakeHomeAssigned | f.TakeHomeReceived | f.TakeHomeAnonymised:
    stamp = context.stamp(tags.loop(loop.handle))
    match command:
        case c.AssignTakeHome():
            return f.TakeHomeAssigned(
                stamp=stamp,
                loop=loop.handle,
                session=command.session,
                minutes=command.minutes,
                due=command.due,
                adjusted=command.adjusted,
            )
        case c.ReceiveTakeHome():
            return f.TakeHomeReceived(
                stamp=stamp,
                loop=loop.handle,
                session=command.session,
                content_digest=command.content_digest,
            )
        case c.AnonymiseTakeHome():
            if not command.feasible and command.reason is None:
                raise Meaningless("say why it was not feasible", pointer="/reason")
            if command.feasible and command.method is None:
                raise Meaningless("say how it was done", pointer="/method")
            subject = loop.opened.fact.candidate
            return f.TakeHomeAnonymised(
                stamp=stamp,
                loop=loop.handle,
                session=command.session,
                feasible=command.feasible,
                method=private_or_none(command.method, subject),
                reason=private_or_none(command.reason, subject),
                content_digest=command.content_digest,
            )


def submit_feedback(command: c.SubmitFeedback, world: World, context: Context) -> Draft:
    """An interviewer's own feedback on one session, every competency of it."""
    loop = known_loop(world, command.loop)
    check_loop(command, loop, world, context)
    planned = loop.session(command.session)
    if planned is None:
        raise Missing("no plan of this loop has such a session; plan it first")
    attended = {a for s in loop.sessions if s.fact.session == planned.id for a in s.fact.attendees}
    if context.actor not in attended | set(loop.interviewers(planned.id)):
        raise Forbidden("this person was not to interview in this session; report a replacement")
    for one in loop.feedback:
        if (one.fact.session, one.fact.author) == (planned.id, context.actor):
            raise Exists("this person's feedback on this session is in; amend it instead")
    if command.independence is not None and command.source is None:
        raise Meaningless("only a source can attest; name it", pointer="/source")
    _check_ratings(command.ratings, set(planned.competencies), loop, world)
    subject = loop.opened.fact.candidate
    return Draft(
        fact=f.FeedbackSubmitted(
            stamp=context.stamp(tags.loop(loop.handle), tags.candidate(subject)),
            loop=loop.handle,
            session=planned.id,
            author=context.actor,
            ratings=_rated(command.ratings, subject),
            independence=_independence(command, loop, context.actor),
            tools=command.tools,
            attachments=command.attachments,
            language=command.language,
            recommend=command.recommend,
            summary=private_or_none(command.summary, subject),
        ),
        moment="feedback",
    )


def _independence(command: c.SubmitFeedback, loop: Loop, author: str) -> f.Independence:
    """Frozen here: whether the author had read anyone's feedback in this loop before."""
    if any(view.fact.viewer == author for view in loop.views):
        return "read_before_writing"
    return "blind" if command.independence is None else command.independence


def amend_feedback(command: c.AmendFeedback, world: World, context: Context) -> Draft:
    """A correction of one's own feedback; the original stays."""
    loop = known_loop(world, command.loop)
    check_loop(command, loop, world, context)
    original = next((w for w in loop.feedback if w.position == command.position), None)
    another = original is not None and original.fact.author != context.actor
    if original is None or (another and owes(context.actor, loop)):
        raise Missing("no feedback of this loop stands at this position")
    if another:
        raise Forbidden("only its author amends a feedback")
    _check_ratings(command.ratings, {r.competency for r in original.fact.ratings}, loop, world)
    read = any(view.fact.viewer == context.actor for view in loop.views)
    subject = loop.opened.fact.candidate
    return Draft(
        fact=f.FeedbackAmended(
            stamp=context.stamp(tags.loop(loop.handle), tags.candidate(subject)),
            loop=loop.handle,
            session=original.fact.session,
            author=context.actor,
            amends=original.position,
            ratings=_rated(command.ratings, subject),
            independence="amended_after_reading" if read else "blind",
            reason=private(command.reason, subject),
        ),
        moment="feedback",
    )


def _check_ratings(
    ratings: tuple[c.RatingSpec, ...], wanted: set[str], loop: Loop, world: World
) -> None:
    card = world.scorecard(loop.opened.fact.scorecard)
    if card is None:
        raise LookupError("the pinned scorecard is outside what was read")
    scale = card.fact.content.scale
    known = {x.id: {o.code for o in x.observations} for x in card.fact.content.competencies}
    seen: set[str] = set()
    for number, rated in enumerate(ratings):
        where = f"/ratings/{number}"
        if rated.competency not in known:
            raise Meaningless(
                "the pinned scorecard has no such competency", pointer=f"{where}/competency"
            )
        if rated.competency in seen:
            raise Meaningless("a competency is rated twice", pointer=f"{where}/competency")
        seen.add(rated.competency)
        if (rated.rating is None) == (rated.not_observed is None):
            raise Meaningless("give a rating, or say why it was not observed", pointer=where)
        if rated.rating is not None and not scale.min <= rated.rating <= scale.max:
            raise Meaningless(
                f"the scale runs from {scale.min} to {scale.max}", pointer=f"{where}/rating"
            )
        _check_observations(rated, known[rated.competency], where)
    if wanted - seen:
        missing = ", ".join(sorted(wanted - seen))
        raise Meaningless(
            f"rate every competency of the session, or say why it was not observed: {missing}",
            pointer="/ratings",
        )


def _check_observations(rated: c.RatingSpec, codes: set[str], where: str) -> None:
    seen: set[str] = set()
    for at, made in enumerate(rated.observations):
        pointer = f"{where}/observations/{at}/code"
        if made.code not in codes:
            raise Meaningless("the competency has no such observation code", pointer=pointer)
        if made.code in seen:
            raise Meaningless("an observation code stands twice", pointer=pointer)
        seen.add(made.code)


def _rated(ratings: tuple[c.RatingSpec, ...], subject: str) -> tuple[f.Rated, ...]:
    def evidence(text: str | None) -> tuple[Digest | None, int]:
        return private_or_none(text, subject), count_words(text or "")

    rated: list[f.Rated] = []
    for one in ratings:
        digest, words = evidence(one.evidence)
        rated.append(
            f.Rated(
                competency=one.competency,
                rating=one.rating,
                not_observed=private_or_none(one.not_observed, subject),
                evidence=digest,
                words=words,
                observations=one.observations,
            )
        )
    return tuple(rated)


def record_reference(command: c.RecordReference, world: World, context: Context) -> Draft:
    """A reference along the scorecard's competencies; it corroborates and never counts as two."""
    loop = known_loop(world, command.loop)
    check_loop(command, loop, world, context)
    card = world.scorecard(loop.opened.fact.scorecard)
    known = {x.id for x in card.fact.content.competencies} if card else set[str]()
    for number, theme in enumerate(command.themes):
        if theme.competency not in known:
            raise Meaningless(
                "the pinned scorecard has no such competency",
                pointer=f"/themes/{number}/competency",
            )
    subject = loop.opened.fact.candidate
    return Draft(
        fact=f.ReferenceRecorded(
            stamp=context.stamp(tags.loop(loop.handle)),
            loop=loop.handle,
            relation=command.relation,
            themes=tuple(
                f.Theme(competency=t.competency, text=private(t.text, subject))
                for t in command.themes
            ),
            incident_pressure=private_or_none(command.incident_pressure, subject),
            mentorship=private_or_none(command.mentorship, subject),
        )
    )
