"""What do followers and the platform do? Messages, their deliveries, and the echoes of our own."""

from claimbot.core.errors import Outside
from claimbot.flows.receive import Signed
from claimbot.flows.take_in import take_in
from claimbot.sandbox.meta_webhooks import body_of, comment_envelope, envelope, event
from tests.sim.program import Step, one_of
from tests.sim.stage import Letter, Stage

WISHES = (*("LAUNCH {}",) * 8, "launch {} x2", "2 LAUNCH {}", "LAUNCH {} x3")
OTHER_WORDS = ("PASS", "PASS", "STOP", "START", "START", "hello", "HUMAN", "LAUNCH")


def crowd(stage: Stage, step: Step) -> None:
    """Most of the followers write at once, and one POST tells of all of them."""
    writers = stage.followers[: 1 + step.pick % len(stage.followers)]
    at_seconds = stage.clock().timestamp()
    events, mids = [], []
    for number, who in enumerate(writers):
        mids.append(f"mid.{next(stage.numbers)}")
        message = {"mid": mids[-1], "text": _words(stage, step.more // (1 + number) + number)}
        events.append(event(who, stage.account.external_id, at_seconds, message=message))
        stage.platform.wrote_at[who] = stage.clock()
    body = body_of(envelope(stage.account.external_id, at_seconds, events))
    for who, mid in zip(writers, mids, strict=True):
        stage.letters.append(Letter(body, who, mid, stage.account.external_id))
    letter = stage.letters[-1]
    stage.waiting.append(letter)
    _post(stage, letter)


def write(stage: Stage, step: Step) -> None:
    """A follower writes; mostly it is delivered at once."""
    who = stage.followers[step.pick % len(stage.followers)]
    mid = f"mid.{next(stage.numbers)}"
    message = {"mid": mid, "text": _words(stage, step.more)}
    stage.platform.wrote_at[who] = stage.clock()
    _begin(stage, step, Letter(_body(stage, who, message), who, mid, stage.account.external_id))


def comment(stage: Stage, step: Step) -> None:
    """A follower writes under a post of the brand."""
    who = stage.followers[step.pick % len(stage.followers)]
    comment_id = f"comment.{next(stage.numbers)}"
    stage.platform.commenters[comment_id] = who
    value = {"id": comment_id, "from": {"id": who, "username": f"name.{who}"}, "media": {"id": "post"}}
    value["text"] = _words(stage, step.more)
    at_seconds = stage.clock().timestamp()
    body = body_of(comment_envelope(stage.account.external_id, "comments", at_seconds, value))
    _begin(stage, step, Letter(body, who, comment_id, stage.account.external_id))


def _begin(stage: Stage, step: Step, letter: Letter) -> None:
    """Mostly it is delivered at once."""
    stage.letters.append(letter)
    stage.waiting.append(letter)
    if (step.pick // 7) % 6:
        _post(stage, letter, is_heard=bool((step.more // 31) % 12))


def _words(stage: Stage, more: int) -> str:
    """Mostly a wish for one of the variants."""
    if more % 6 == 0:
        return OTHER_WORDS[more // 6 % len(OTHER_WORDS)]
    variant = stage.drop.variants[more // 6 % len(stage.drop.variants)]
    return WISHES[more // 12 % len(WISHES)].format(variant.code)


def _body(stage: Stage, who: str, message: dict[str, object]) -> bytes:
    """What was written by them, or, as an echo, to them."""
    at_seconds = stage.clock().timestamp()
    ends = [who, stage.account.external_id]
    sender, recipient = ends[::-1] if message.get("is_echo") else ends
    one = event(sender, recipient, at_seconds, message=message)
    return body_of(envelope(stage.account.external_id, at_seconds, [one]))


def _post(stage: Stage, letter: Letter, is_heard: bool = True) -> None:
    """One delivery. Without a 200, or when it is lost, the platform tries again some day."""
    try:
        take_in(stage.parts, letter.body, Signed())
    except Outside:
        return
    letter.is_acked = True
    if is_heard and letter in stage.waiting:
        stage.waiting.remove(letter)


def deliver_one(stage: Stage, step: Step) -> None:
    letter = one_of(stage.waiting, step.pick)
    if letter is not None:
        _post(stage, letter)


def redeliver(stage: Stage, step: Step) -> None:
    letter = one_of(stage.letters, step.pick)
    if letter is not None:
        _post(stage, letter)


def echo(stage: Stage, step: Step) -> None:
    """The platform shows us one of our own messages; or never does."""
    sent = one_of(stage.platform.echoes, step.pick)
    if sent is None:
        return
    stage.platform.echoes.remove(sent)
    if step.more % 4 == 0:
        return
    message = {"mid": sent.mid, "is_echo": True, **({"text": sent.text} if sent.text else {})}
    stage.house = next(one for one in stage.houses if sent.who in one.followers)
    letter = Letter(_body(stage, sent.who, message), sent.who, sent.mid, stage.account.external_id)
    stage.letters.append(letter)
    stage.waiting.append(letter)
    _post(stage, letter)
