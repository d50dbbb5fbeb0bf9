"""Who asks, and in which brand? What the guard found out, for the pages behind it."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, g, render_template, request
from markupsafe import Markup

from claimbot.core.brands import Brand
from claimbot.core.money import plain
from claimbot.core.operators import Membership, Right, Visitor, is_proved
from claimbot.parts import Parts
from claimbot.web.admin.names import handle_of, name_beside
from claimbot.web.admin.reasons import reason_words
from claimbot.web.admin.wording import OUTCOMES, PHASES, STATES, badge_of, source_words, work_words
from claimbot.web.forms import form_token
from claimbot.web.headers import allow_fetch

View = TypeVar("View", bound=Callable[..., object])

# A page that looks again by itself says so; it keeps nobody signed in.
LIVE_HEADER = "X-Live"
SHORT = "%d %b, %H:%M:%S"
LONG = "%d %b %Y, %H:%M %Z"


def needs(right: Right) -> Callable[[View], View]:
    """Without it a page that only shows needs LOOK, and one that changes needs CHANGE."""

    def mark(view: View) -> View:
        view.right = right  # type: ignore[attr-defined]  # read by the guard
        return view

    return mark


def visitor() -> Visitor:
    found = g.get("visitor")
    if found is None:
        abort(403)
    assert isinstance(found, Visitor)
    return found


def membership() -> Membership:
    found = g.get("membership")
    if found is None:
        abort(404)
    assert isinstance(found, Membership)
    return found


def brand() -> Brand:
    return membership().brand


def may(right: str) -> bool:
    return membership().may(Right(right))


def purpose() -> str:
    """Forms of one session are worth nothing in another."""
    return f"admin:{visitor().session_id}"


def typed(name: str) -> str:
    """One field as it was typed; PostgreSQL cannot keep the letter NUL."""
    return request.form.get(name, "").replace("\0", "")


def asked(name: str) -> str:
    """One word of the address."""
    return request.args.get(name, "").replace("\0", "").strip()


def page(template: str, **values: object) -> str:
    """Who is signed in gets pages that move: htmx asks us again."""
    if g.get("visitor"):
        allow_fetch()
    return render_template(f"admin/{template}", **values)


def when(at: datetime | None, form: str = LONG) -> Markup:
    """In the brand's zone, with the zone named where it is told in full."""
    if at is None:
        return Markup("–")
    local = at.astimezone(ZoneInfo(brand().timezone))
    words = Markup('<time datetime="{}">{}</time>')
    return words.format(at.isoformat(timespec="seconds"), local.strftime(form))


def short(at: datetime | None) -> Markup:
    return when(at, SHORT)


def must_prove(parts: Parts) -> bool:
    """Would what moves money, data or secrets ask for the password now?"""
    return not is_proved(visitor().proved_at, parts.clock())


def add_words(routes: Blueprint, parts: Parts) -> None:
    """What the templates may ask for."""

    @routes.context_processor
    def words() -> dict[str, object]:
        return {
            "visitor": g.get("visitor"),
            "membership": g.get("membership"),
            "brand": g.membership.brand if g.get("membership") else None,
            "may": may,
            "when": when,
            "short": short,
            "money": plain,
            "reason": reason_words,
            "handle_of": handle_of,
            "name_beside": name_beside,
            "work_of": work_words,
            "source_words": source_words,
            "phase_of": lambda word: badge_of(PHASES, word),
            "state_of": lambda word: badge_of(STATES, word),
            "outcomes": OUTCOMES,
            "outcome_of": lambda word: badge_of(OUTCOMES, word),
            "token": lambda: form_token(purpose()),
            "must_prove": lambda: must_prove(parts),
            "said": DID.get(asked("did"), ""),
        }


# What an action did, told on the page that follows it; the address names only the word.
DID = {
    "made": "The draft is saved. Open it when you are ready.",
    "opened": "The drop is open: who writes the word now gets an answer.",
    "paused": "The drop is paused: nobody new gets a unit, holds go on.",
    "closed": "The drop is closed.",
    "changed": "The drop is changed. New messages and new claims follow it from now on.",
    "deleted": "The draft is deleted.",
    "claim_cancelled": "The claim is being taken back; then its unit goes to the next in line.",
    "claim_moved": "The claim has the other variant now.",
    "refund_asked": "The money is being sent back. This page changes when Stripe has done it.",
    "restocked": "The stock is set. New units went to the line first.",
    "bot_paused": "The machine is silent for this person until you resume it.",
    "bot_resumed": "The machine answers this person again.",
    "rule_changed": "The rule is changed. It counts at once, also for those who wrote before.",
    "written": "Your message goes out. The machine is silent for this person until you resume it.",
    "described": "Tags and note are saved.",
    "erased": "This person is erased. What was sold stays in the books.",
    "tried_again": "What waited is tried again now. What is still wrong will show up here again.",
    "cleared": "The alert is cleared.",
    "signed_out": "You are signed out.",
    "session_ended": "That browser is signed out.",
    "password_changed": "Your password is changed. Your other browsers are signed out.",
    "password_set": "Your new password is set: sign in with it.",
    "joined_brand": "You have joined. Choose the brand below.",
    "role_changed": "The role is changed.",
    "colleague_removed": "They see nothing of this brand any more.",
    "invite_revoked": "The invitation is taken back: its link leads nowhere.",
    "connected": "The account is connected and subscribed. What waited for it is sent now.",
    "disconnected": "The account is disconnected: its token is forgotten.",
    "keys_set": "The keys are kept. Ask Stripe below whether they work.",
    "webhook_paused": "Paused: what happens from now on waits there, for a day at most.",
    "webhook_resumed": "It is called again: what waited comes first.",
    "webhook_removed": "It is removed, and nothing more is sent there.",
    "webhook_tested": "A test event is on its way. Load this page again to see what became of it.",
    "notice_again": "It is sent again, under the same id.",
    "settings_kept": "Kept.",
    "brand_made": "The brand is made, and you are its owner. Next: connect Instagram and Stripe.",
    "factor_removed": "The second factor is off. Your other browsers are signed out.",
}
