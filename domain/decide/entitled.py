"""Who may ask for what: one table from command to roles, and what ties a role to a loop.

The API's routes take their roles from here, so that one table says it for both.
"""

from domain import commands as c
from domain import facts as f
from domain.decide.context import Context
from domain.facts import Role
from domain.refusals import FeedbackOwed, Forbidden
from domain.state import Loop, Requisition, World

_HM: frozenset[Role] = frozenset(("hiring_manager",))
_ADMIN: frozenset[Role] = frozenset(("administrator",))
_PRIVACY: frozenset[Role] = frozenset(("privacy_officer",))
_DECIDER: frozenset[Role] = frozenset(("decision_maker",))
_REPORTER: frozenset[Role] = frozenset(("interviewer", "hiring_manager"))
_PANEL: frozenset[Role] = frozenset(("interviewer", "hiring_manager", "decision_maker"))
_WRITER: frozenset[Role] = frozenset(("hiring_manager", "approver"))

ROLES_FOR: dict[type[c.Command], frozenset[Role]] = {
    c.RegisterPerson: _ADMIN,
    c.ChangeRoles: _ADMIN,
    c.IssueKey: _ADMIN,
    c.RevokeKey: _ADMIN,
    c.AdoptPolicySet: _ADMIN,
    c.ImportRecord: _ADMIN,
    c.OpenRequisition: _HM,
    c.ChangeRequisition: _HM,
    c.VersionScorecard: _WRITER,
    c.ApproveScorecard: frozenset(("approver",)),
    c.RetireScorecard: _WRITER,
    c.VersionPrompt: _WRITER,
    c.VersionPosting: _HM,
    c.OpenLoop: _HM,
    c.PlanLoop: _HM,
    c.GiveProcessNotice: _HM,
    c.DiscloseRelationship: frozenset(("interviewer",)),
    c.CompleteSession: _REPORTER,
    c.CancelSession: _REPORTER,
    c.ReportNoShow: _REPORTER,
    c.ReplaceInterviewer: _REPORTER,
    c.AssignTakeHome: _HM,
    c.ReceiveTakeHome: _HM,
    c.AnonymiseTakeHome: _HM,
    c.SubmitFeedback: frozenset(("interviewer",)),
    c.AmendFeedback: frozenset(("interviewer",)),
    c.RecordReference: _HM,
    c.DecideStage: _HM,
    c.OpenDebrief: _HM,
    c.MakeStatement: _PANEL,
    c.RecordDissent: _PANEL,
    c.CloseDebrief: _HM,
    c.PassEvidenceGate: _HM,
    c.MakeRecommendation: _HM,
    c.GrantLoopException: frozenset(("approver",)),
    c.GrantRequisitionException: frozenset(("approver",)),
    c.MakeDecision: _DECIDER,
    c.ReverseDecision: _DECIDER,
    c.ObserveDecision: _DECIDER,
    c.RecordOffer: _HM,
    c.ReportWithdrawal: _HM,
    c.CloseLoop: frozenset(("hiring_manager", "decision_maker")),
    c.ReopenLoop: _DECIDER,
    c.RecordOutcome: _HM,
    c.PlaceHold: _PRIVACY,
    c.ReleaseHold: _PRIVACY,
    c.EraseSubject: _PRIVACY,
    c.CorrectFact: frozenset(("auditor",)),
    c.NoteFeedbackViewed: frozenset(f.ROLES),
    c.NoteRecordViewed: frozenset(f.ROLES),
}
TEAM_ROLES: frozenset[Role] = frozenset(("hiring_manager", "decision_maker", "approver"))


def check_role(command: c.Command, context: Context) -> None:
    """Refuses a person none of whose roles allows this command."""
    if not ROLES_FOR[type(command)] & context.roles:
        wanted = " or ".join(sorted(ROLES_FOR[type(command)]))
        raise Forbidden(f"this needs the role {wanted}; an administrator can grant it")


def check_requisition(command: c.Command, requisition: Requisition, context: Context) -> None:
    """Refuses a person whom the requisition's team does not name."""
    if context.actor not in requisition.content.team.people():
        raise Forbidden("the requisition's team does not name this person; change the team first")
    check_role(command, context)


def check_loop(command: c.Command, loop: Loop, world: World, context: Context) -> None:
    """Refuses a person who has nothing to do with this loop in a role that the command allows."""
    allowed = ROLES_FOR[type(command)] & context.roles
    requisition = world.requisitions[loop.opened.fact.requisition]
    named = allowed & TEAM_ROLES and context.actor in requisition.content.team.people()
    if not named and not ("interviewer" in allowed and _takes_part(command, loop, context.actor)):
        raise Forbidden(
            "this person is neither named by the requisition's team nor an interviewer of this "
            "loop; change the team, the plan or the replacement first"
        )
    if _goes_by_opinions(command) and owes(context.actor, loop):
        raise FeedbackOwed(
            "you still owe feedback in this loop: submit it, or have your session called off or "
            "given to somebody else, before going by what others wrote"
        )


def _goes_by_opinions(command: c.Command) -> bool:
    """Whether a command goes by what others wrote, or would be answered by it.

    A stage is not among them: whoever screens may well be planned for a later session already. Nor
    is what takes no opinion, such as closing a loop because the candidate withdrew.
    """
    if isinstance(command, c.CloseLoop):
        return command.disposition in {"hired", "rejected"}
    return isinstance(
        command,
        c.CloseDebrief
        | c.PassEvidenceGate
        | c.MakeRecommendation
        | c.MakeDecision
        | c.ReverseDecision,
    )


def _takes_part(command: c.Command, loop: Loop, person: str) -> bool:
    """Whoever knows the candidate may say so, before any plan too; all else is for the panel.

    That someone attended is for the team or the panel to report: nobody lets themselves in.
    """
    return isinstance(command, c.DiscloseRelationship) or person in interviewers_of(loop)


def interviewers_of(loop: Loop) -> frozenset[str]:
    """Everyone who is to interview, attended, or wrote feedback, in any session of the loop."""
    ids = {session.id for plan in loop.plans for session in plan.fact.sessions}
    people = {person for id_ in ids for person in loop.interviewers(id_)}
    people |= {person for session in loop.sessions for person in session.fact.attendees}
    people |= {change.fact.replacement for change in loop.replacements}
    people |= {written.fact.author for written in loop.feedback}
    return frozenset(people)


def owes(person: str, loop: Loop) -> bool:
    """Whether this person's feedback on a session of the loop is missing.

    Who attended owes as well, planned or not; and nobody is released by reporting themselves that
    their session was called off.
    """
    if any(debtor == person for _, debtor in loop.owes()):
        return True
    written = {w.fact.session for w in loop.feedback if w.fact.author == person}
    attended = {s.fact.session for s in loop.sessions if person in s.fact.attendees}
    called_off = {o.fact.session for o in loop.cancelled if o.fact.stamp.by == person}
    called_off |= {o.fact.session for o in loop.no_shows if o.fact.stamp.by == person}
    own_word = {id_ for id_ in called_off if person in loop.interviewers(id_)}
    return bool((attended | own_word) - written)
