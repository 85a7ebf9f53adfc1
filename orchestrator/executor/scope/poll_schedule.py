"""How long what was seen of a target holds, and when to look again. Pure: ages and durations in, seconds out."""

from datetime import timedelta

from orchestrator.model.reply.reply import JOBS_PER_PAGE

#: Nobody looks at a young upgrade later than this.
_FIRST_AT_MOST_S = 60.0

#: From this share of the expected duration on, every `poll`.
_CLOSE_SHARE = 0.8

#: Looks at a target that only new evidence will move grow this far apart.
SPARSEST_S = 1800.0

#: Looks at a doubtful attempt, within the doubt period.
DOUBT_AT_MOST_S = 300.0

#: How many upgrades must be followed for each page of the job list that has to be read: of so many, two or more would
#: be looked at one by one in the time for which a list is good.
_PER_PAGE = 5

#: How old a list of running jobs may be, in seconds.
LIST_FRESH_S = 60.0

#: After so many lists in a row that showed a job running, it is asked for by its id once: a list might lag behind.
TRUSTED_LISTS = 20

#: A target whose intent was refused is not taken up again sooner than this.
REFUSED_PAUSE = timedelta(seconds=0.5)

#: What a preflight read may be this old at the intent; at rates below one call a minute, a few calls' time.
_FRESH_S, _FRESH_CALLS = 60.0, 3


def stale(age_s: float, rate: float) -> bool:
    """Whether a preflight of this age must be made again before an attempt; `rate` in calls a second."""
    return age_s >= max(_FRESH_S, _FRESH_CALLS / rate)


def next_look_s(age_s: float, expected_s: float, poll_s: float) -> float:
    """Age of an upgrade, in seconds since it was accepted, at which to look next.

    The first look comes after the smaller of half the expected duration and one minute, but not before `poll`. After
    that the gaps are the larger of `poll` and a fifth of the expected duration, and `poll` from 80 % of the expected
    end on.
    """
    first_s = max(poll_s, min(expected_s / 2, _FIRST_AT_MOST_S))
    if age_s < first_s:
        return first_s
    close_s = _CLOSE_SHARE * expected_s
    if age_s >= close_s:
        return age_s + poll_s
    return min(age_s + max(poll_s, expected_s / 5), max(close_s, age_s + poll_s))


def list_pays(followed: int, listed: int) -> bool:
    """Whether a list of running jobs costs fewer calls than looking at each upgrade by its id.

    Args:
        followed: upgrades that are followed in the scope.
        listed: jobs that the latest list had, other people's among them.
    """
    return followed >= _PER_PAGE * (1 + listed // JOBS_PER_PAGE)


def doubt_period_s(resend_after_s: float, http_timeout_s: float) -> float:
    """How long a doubtful attempt is reconciled before it may be sent again, counted from its intent."""
    return max(resend_after_s, 2 * http_timeout_s)
