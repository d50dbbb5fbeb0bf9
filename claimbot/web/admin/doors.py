"""Which pages has a brand? One blueprint; each kind of page is one file beside this one."""

from flask import Blueprint

from claimbot.parts import Parts
from claimbot.web.admin.audit import add_audit
from claimbot.web.admin.brand_settings import add_brand_settings
from claimbot.web.admin.brands import add_brands
from claimbot.web.admin.claims import add_claims
from claimbot.web.admin.cookie import cookie_of
from claimbot.web.admin.drop_pages import add_drop_pages
from claimbot.web.admin.drops import add_drops
from claimbot.web.admin.entrance import add_entrance
from claimbot.web.admin.guard import add_guard
from claimbot.web.admin.health import add_health
from claimbot.web.admin.here import add_words
from claimbot.web.admin.instagram import add_instagram
from claimbot.web.admin.join import add_join
from claimbot.web.admin.lead_rule import add_lead_rule
from claimbot.web.admin.leads import add_leads
from claimbot.web.admin.me import add_me
from claimbot.web.admin.person import add_person
from claimbot.web.admin.rehearsals import add_rehearsals
from claimbot.web.admin.stripe_keys import add_stripe_keys
from claimbot.web.admin.team import add_team
from claimbot.web.admin.webhooks import add_webhooks
from claimbot.web.admin.word_settings import add_word_settings


def admin_routes(parts: Parts) -> Blueprint:
    routes = Blueprint("admin", __name__, url_prefix="/admin")
    cookie = cookie_of(parts.settings)
    add_guard(routes, parts, cookie)
    add_words(routes, parts)
    add_entrance(routes, parts, cookie)
    add_join(routes, parts, cookie)
    add_me(routes, parts, cookie)
    add_brands(routes, parts)
    add_audit(routes, parts)
    add_brand_settings(routes, parts)
    add_instagram(routes, parts)
    add_stripe_keys(routes, parts)
    add_webhooks(routes, parts)
    add_word_settings(routes, parts)
    add_team(routes, parts)
    add_drops(routes, parts)
    add_drop_pages(routes, parts)
    add_claims(routes, parts)
    add_rehearsals(routes, parts)
    add_leads(routes, parts)
    add_lead_rule(routes, parts)
    add_person(routes, parts)
    add_health(routes, parts)
    return routes
