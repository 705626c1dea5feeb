"""Did an exception of the policy expire?"""

from __future__ import annotations

from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, question


class PolicyExceptionExpired(Rule):
    """An exception that the policy makes has expired.

    What it looks at
        The ``until`` dates of the policy's ignore entries, against the day on which the report is made.
    Why it matters
        An expired exception excuses nothing any more: what it covered counts again where it is found.
    How to mend it
        Mend what it excused and delete the entry, or give it a new date.
    Cannot tell when
        Never: policy and date are given.
    References
        envcheck policy show.
    """

    code, name, rung = "POL191", "policy-exception-expired", "python"
    severity = "warning"
    of_machine = False

    @staticmethod
    def mend(case: Case) -> Fix:
        where = case.policy.source or "the policy file"
        return Fix(
            title="Look at the exception again",
            steps=[Step(where="browser", note=f"in {where}: delete the entry, or give it a new until date")],
            verify="envcheck preflight",
        )


@question("host", PolicyExceptionExpired)
def did_an_exception_of_the_policy_expire(case: Case) -> Problem | None:
    """The last day counts as one on which the exception holds."""
    policy = case.policy
    if not policy.today or not any(ignore.until for ignore in policy.ignore):
        raise NotApplicable("no exception has a date")
    over = [ignore for ignore in policy.ignore if not ignore.holds(policy.today)]
    if not over:
        return None
    told = [f"{ignore.rule} until {ignore.until} ({ignore.reason})" for ignore in over]
    return case.problem(
        PolicyExceptionExpired,
        f"an exception of the policy has expired: {', '.join(told)}",
        cause=f"today is {policy.today}",
        evidence=[],
        fix=PolicyExceptionExpired.mend(case),
    )
