"""Which message bodies does the Graph accept? Pure: a body goes in, what a phone shows comes out."""

from dataclasses import dataclass
from typing import Any

from claimbot.sandbox.graph_errors import GraphRefusal, bad_content
from claimbot.sandbox.shelf import Json

# Instagram counts bytes of UTF-8, not characters (Instagram messaging documentation).
TEXT_BYTES = 1_000
BUTTON_TEXT_CHARS = 640
BUTTON_TITLE_CHARS = 20
BUTTONS = 3
PAYLOAD_CHARS = 1_000
CHOICES = 13
CHOICE_TITLE_CHARS = 20
CARDS = 10
CARD_TITLE_CHARS = 80
METADATA_CHARS = 1_000

MEDIA = ("image", "video", "audio", "file")
WINDOW_SECONDS = 24 * 3600
HUMAN_AGENT_SECONDS = 7 * 24 * 3600
COMMENT_SECONDS = 7 * 24 * 3600
ACTIONS = ("typing_on", "typing_off", "mark_seen", "react", "unreact")


@dataclass(frozen=True, slots=True)
class Shown:
    """What the follower sees of a message, and what its echo carries instead of a text."""

    text: str
    buttons: tuple[dict[str, str], ...] = ()
    choices: tuple[dict[str, str], ...] = ()
    image: str = ""
    attachment: Json | None = None


def read_message(message: Any) -> Shown:
    """Raises GraphRefusal when the Graph would refuse this message."""
    if not isinstance(message, dict):
        raise bad_content("The parameter message is required.")
    text, attachment = message.get("text"), message.get("attachment")
    if (text is None) == (attachment is None):
        raise bad_content("Message must have exactly one of text or attachment.", 2534015)
    if len(str(message.get("metadata", ""))) > METADATA_CHARS:
        raise bad_content("Length of param message[metadata] must be at most 1000.")
    choices = _choices(message.get("quick_replies"))
    if attachment is None:
        return Shown(_text(text), choices=choices)
    if choices:
        raise bad_content("Quick replies cannot be used with this attachment.", 2534015)
    return _attachment(attachment)


def _text(text: Any) -> str:
    if not isinstance(text, str) or not text.strip():
        raise bad_content("Message cannot be empty, must provide valid text.")
    if len(text.encode()) > TEXT_BYTES:
        raise bad_content("Length of param message[text] must be at most 1000 bytes.", 2534015)
    return text


def _choices(told: Any) -> tuple[dict[str, str], ...]:
    if told is None:
        return ()
    if not isinstance(told, list) or not 1 <= len(told) <= CHOICES:
        raise bad_content("Param message[quick_replies] must have 1 to 13 entries.")
    return tuple(_choice(choice) for choice in told)


def _choice(told: Any) -> dict[str, str]:
    if not isinstance(told, dict):
        raise bad_content("A quick reply must be an object.")
    if told.get("content_type") in ("user_email", "user_phone_number"):
        return {"title": told["content_type"], "payload": ""}
    if told.get("content_type") != "text":
        raise bad_content("Param quick_replies[content_type] must be text.")
    title, payload = told.get("title"), told.get("payload")
    if not isinstance(title, str) or not 1 <= len(title) <= CHOICE_TITLE_CHARS:
        raise bad_content("Length of param quick_replies[title] must be at most 20.")
    return {"title": title, "payload": _payload(payload)}


def _payload(payload: Any) -> str:
    if not isinstance(payload, str) or not 1 <= len(payload) <= PAYLOAD_CHARS:
        raise bad_content("Length of param payload must be from 1 to 1000.")
    return payload


def _attachment(attachment: Any) -> Shown:
    if not isinstance(attachment, dict):
        raise bad_content("Invalid attachment.")
    kind, payload = attachment.get("type"), attachment.get("payload")
    if kind == "like_heart":
        return Shown("❤", attachment={"type": "like_heart"})
    if not isinstance(payload, dict):
        raise bad_content("The parameter attachment[payload] is required.")
    if kind == "template":
        return _template(payload)
    if kind not in MEDIA:
        raise bad_content("Invalid attachment type.")
    url = payload.get("url")
    if not _is_web(url):
        raise bad_content("The attachment could not be fetched from its URL.", 2018008)
    return Shown(
        "",
        image=str(url) if kind == "image" else "",
        attachment={"type": kind, "payload": {"url": url}},
    )


def _template(payload: Json) -> Shown:
    echoed = {"type": "template", "payload": payload}
    if payload.get("template_type") == "button":
        text = payload.get("text")
        if not isinstance(text, str) or not 1 <= len(text) <= BUTTON_TEXT_CHARS:
            raise bad_content("Length of param text must be from 1 to 640.", 2534015)
        return Shown(text, _buttons(payload.get("buttons"), at_least=1), attachment=echoed)
    if payload.get("template_type") != "generic":
        raise bad_content("Param template_type must be button or generic.")
    cards = payload.get("elements")
    if not isinstance(cards, list) or not 1 <= len(cards) <= CARDS:
        raise bad_content("Param elements must have 1 to 10 entries.")
    shown = [_card(card) for card in cards]
    return Shown(
        "\n\n".join(card.text for card in shown),
        tuple(button for card in shown for button in card.buttons),
        image=next((card.image for card in shown if card.image), ""),
        attachment=echoed,
    )


def _card(card: Any) -> Shown:
    if not isinstance(card, dict):
        raise bad_content("An element must be an object.")
    title, subtitle, image = card.get("title"), card.get("subtitle", ""), card.get("image_url", "")
    if not isinstance(title, str) or not 1 <= len(title) <= CARD_TITLE_CHARS:
        raise bad_content("Length of param elements[title] must be from 1 to 80.")
    if not isinstance(subtitle, str) or len(subtitle) > CARD_TITLE_CHARS:
        raise bad_content("Length of param elements[subtitle] must be at most 80.")
    if image and not _is_web(image):
        raise bad_content("Param elements[image_url] must be a valid URL.", 2018008)
    if not any(card.get(name) for name in ("subtitle", "image_url", "default_action", "buttons")):
        raise bad_content("An element needs one property besides its title.")
    text = f"{title}\n{subtitle}" if subtitle else title
    return Shown(text, _buttons(card.get("buttons"), at_least=0), image=str(image))


def _buttons(told: Any, at_least: int) -> tuple[dict[str, str], ...]:
    if told is None and at_least == 0:
        return ()
    if not isinstance(told, list) or not at_least <= len(told) <= BUTTONS:
        raise bad_content("Param buttons must have 1 to 3 entries.", 2534015)
    return tuple(_button(button) for button in told)


def _button(told: Any) -> dict[str, str]:
    if not isinstance(told, dict):
        raise bad_content("A button must be an object.")
    title = told.get("title")
    if not isinstance(title, str) or not 1 <= len(title) <= BUTTON_TITLE_CHARS:
        raise bad_content("Length of param buttons[title] must be from 1 to 20.")
    if told.get("type") == "postback":
        return {"title": title, "url": "", "payload": _payload(told.get("payload"))}
    if told.get("type") != "web_url" or not _is_web(told.get("url")):
        raise bad_content("Param buttons[url] must be a valid URL.", 2018008)
    return {"title": title, "url": str(told["url"])}


def _is_web(url: Any) -> bool:
    return isinstance(url, str) and url.startswith(("https://", "http://")) and " " not in url


def window_seconds(body: Json) -> float:
    """How long after the follower's last word this send may still come. Raises GraphRefusal on a dead tag."""
    if body.get("messaging_type") != "MESSAGE_TAG":
        return WINDOW_SECONDS
    if body.get("tag") != "HUMAN_AGENT":
        raise GraphRefusal("(#100) Invalid message tag.", 100)
    return HUMAN_AGENT_SECONDS
