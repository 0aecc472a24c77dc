"""Before the calls, and against what was presumed: decline rates, whom to invite and what to ask, presumed reasons.

`rates` holds `decline_rates` and its result, `decided` says which offers count, `compare` compares the levels of a
segment, `trend` looks along quarters, `chart` draws them, `offered` takes declines alone where the shares of the offers
are known; `outreach` says who is due, `invite` writes letters and a calendar; `guide` makes the interview guide and the
note form; `brief` makes the page for one call, out of the `offer`, what was `said` about the candidate and what
`earlier` batches said; `page` is what their pages share; `coverage` says what calls asked of the guide, `leading` which
questions lead; `presumed` reads a reason as written, `reasons` sets presumed reasons against what candidates said.
Nothing is sent.
"""

from declinethemes.prepare.brief import Brief, candidate_brief
from declinethemes.prepare.coverage import Coverage, coverage
from declinethemes.prepare.earlier import Earlier, earlier_batches
from declinethemes.prepare.guide import Guide, interview_guide
from declinethemes.prepare.invite import Invitation, invitations, to_calendar
from declinethemes.prepare.offer import declined_offer
from declinethemes.prepare.offered import DeclineShares, decline_shares
from declinethemes.prepare.outreach import OutreachBatch, outreach_batch
from declinethemes.prepare.presumed import Reasons, load_reasons
from declinethemes.prepare.rates import DeclineRates, decline_rates
from declinethemes.prepare.reasons import ReasonGap, reason_gap
from declinethemes.prepare.said import Said, what_was_said

__all__ = [
    "Brief",
    "Coverage",
    "DeclineRates",
    "DeclineShares",
    "Earlier",
    "Guide",
    "Invitation",
    "OutreachBatch",
    "ReasonGap",
    "Reasons",
    "Said",
    "candidate_brief",
    "coverage",
    "decline_rates",
    "decline_shares",
    "declined_offer",
    "earlier_batches",
    "interview_guide",
    "invitations",
    "load_reasons",
    "outreach_batch",
    "reason_gap",
    "to_calendar",
    "what_was_said",
]
