"""How does a reply become a message body of the Meta family?

https://developers.facebook.com/docs/messenger-platform/instagram/features/send-message
https://developers.facebook.com/docs/messenger-platform/send-messages/templates
"""

from claimbot.channels.body import clean_text
from claimbot.core.messages import Choice, Link, Reply, ReplyLimits, SendResult, Verdict

ELLIPSIS = "…"

# The title of a generic template; a longer text would lose its end.
CARD_TITLE_CHARS = 80

# Shorter than this beside a link is no longer a sentence.
TEXT_BYTES_MIN = 40


def message_of(reply: Reply, limits: ReplyLimits) -> dict[str, object] | None:
    """The richest message that the platform takes for this reply; None when its link is too long for any.

    Buttons and quick replies exclude each other, so with choices the link stands in the text. A picture needs
    the generic template, whose title has 80 characters: with a longer text the picture is left out.
    A private reply to a comment is plain text: Meta documents nothing else for it, and there is only one.
    """
    if reply.comment_id or reply.link is None or reply.choices or _is_too_long(reply, limits):
        return plain_message_of(reply, limits)
    button = _button(reply.link, limits)
    text = clean_text(reply.text)
    if reply.image_url and len(text) <= CARD_TITLE_CHARS:
        element = {"title": text, "image_url": reply.image_url, "buttons": [button]}
        return _template({"template_type": "generic", "elements": [element]})
    return _template({"template_type": "button", "text": text, "buttons": [button]})


def plain_message_of(reply: Reply, limits: ReplyLimits) -> dict[str, object] | None:
    """The reply as text with its link inside, and taps where they are allowed."""
    text = clean_text(reply.text)
    url = reply.link.url if reply.link else ""
    if reply.comment_id and reply.choices:
        text = f"{text}\n{' · '.join(clean_text(choice.title) for choice in reply.choices)}"
    if len(url.encode()) > limits.text_bytes - TEXT_BYTES_MIN:
        return None
    message: dict[str, object] = {"text": fit_text(text, url, limits.text_bytes)}
    if reply.choices and not reply.comment_id:
        message["quick_replies"] = [_quick_reply(c, limits) for c in reply.choices[: limits.choices_max]]
    return message


def fit_text(text: str, url: str, limit_bytes: int) -> str:
    """The text, then the url on a line of its own; the text is cut between characters if it must be."""
    end = f"\n{url}" if url else ""
    if len((text + end).encode()) <= limit_bytes:
        return text + end
    room_bytes = limit_bytes - len((ELLIPSIS + end).encode())
    return text.encode()[:room_bytes].decode("utf-8", "ignore").rstrip(" \n\u200d") + ELLIPSIS + end


def sent(answer: dict[str, object]) -> SendResult:
    """What a 2xx answer says. Without any id we cannot know that it was a send at all."""
    message_id, recipient_id = answer.get("message_id"), answer.get("recipient_id")
    if not message_id and not recipient_id:
        return SendResult(Verdict.UNKNOWN, reason="no_message_id")
    return SendResult(Verdict.DONE, str(message_id or ""), recipient_external_id=str(recipient_id or ""))


def _is_too_long(reply: Reply, limits: ReplyLimits) -> bool:
    too_many_bytes = len(clean_text(reply.text).encode()) > limits.text_bytes
    return len(reply.text) > limits.button_text_chars or too_many_bytes


def _template(payload: dict[str, object]) -> dict[str, object]:
    return {"attachment": {"type": "template", "payload": payload}}


def _button(link: Link, limits: ReplyLimits) -> dict[str, str]:
    return {"type": "web_url", "url": link.url, "title": clean_text(link.title)[: limits.button_title_chars]}


def _quick_reply(choice: Choice, limits: ReplyLimits) -> dict[str, str]:
    title = clean_text(choice.title)[: limits.choice_title_chars]
    return {"content_type": "text", "title": title, "payload": choice.payload}
