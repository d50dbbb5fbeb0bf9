"""What do followers and the platform do? Messages, their deliveries, and the echoes of our own."""

from claimbot.core.errors import Outside
from claimbot.flows.receive import Signed
from claimbot.flows.take_in import take_in
from claimbot.sandbox.meta_webhooks import body_of, envelope, event
from tests.sim.program import Step, one_of
from tests.sim.stage import Letter, Stage

WISHES = (*("LAUNCH {}",) * 8, "launch {} x2", "2 LAUNCH {}", "LAUNCH {} x3")
OTHER_WORDS = ("PASS", "PASS", "STOP", "START", "START", "hello", "HUMAN", "LAUNCH")


def write(stage: Stage, step: Step) -> None:
    """A follower writes; mostly it is delivered at once."""
    who = stage.followers[step.pick % len(stage.followers)]
    words = _words(stage, step.more)
    mid = f"mid.{next(stage.numbers)}"
    message = {"mid": mid, "text": words}
    body = _body(stage, who, stage.account.external_id, message)
    stage.platform.wrote_at[who] = stage.clock()
    letter = Letter(body, who, mid)
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


def _body(stage: Stage, sender: str, recipient: str, message: object) -> bytes:
    at_seconds = stage.clock().timestamp()
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
    letter = Letter(_body(stage, stage.account.external_id, sent.who, message), sent.who, sent.mid)
    stage.letters.append(letter)
    stage.waiting.append(letter)
    _post(stage, letter)
