"""Is this message one of the commands that work everywhere: STOP, START, PASS, HUMAN, HELP?"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

from claimbot.core.keywords import normalise, tokens


class Command(StrEnum):
    STOP = "stop"  # never write to me again
    START = "start"  # you may write to me again
    PASS = "pass"  # give my unit or my place to the next one
    HUMAN = "human"  # I want a person
    HELP = "help"  # what is this?


# Whole messages, one spelling each: case, accents and punctuation are folded before comparing.
DEFAULT_WORDS: Mapping[str, Mapping[Command, tuple[str, ...]]] = MappingProxyType(
    {
        "en": {
            Command.STOP: (
                "stop", "stop all", "stopall", "unsubscribe", "opt out", "optout", "end", "quit", "revoke",
                "please stop", "stop please", "stop messaging me", "stop texting me", "leave me alone",
            ),
            Command.START: ("start", "unstop", "subscribe", "opt in", "optin", "resume"),
            Command.PASS: (
                "pass", "i pass", "skip", "cancel", "give up", "release", "no thanks", "no thank you",
            ),
            Command.HUMAN: (
                "human", "agent", "person", "a person", "real person", "talk to a person",
                "talk to a human", "representative", "support",
            ),
            Command.HELP: ("help", "help me", "info"),
        },
        "de": {
            Command.STOP: (
                "stopp", "stop", "abmelden", "abbestellen", "aufhören", "ende", "keine nachrichten mehr",
            ),
            Command.START: ("start", "anmelden", "weiter"),
            Command.PASS: ("passe", "ich passe", "verzichten", "verzichte", "nein danke", "stornieren"),
            Command.HUMAN: ("mensch", "mitarbeiter", "mitarbeiterin", "berater", "echter mensch"),
            Command.HELP: ("hilfe", "infos"),
        },
        "fr": {
            Command.STOP: (
                "arrêt", "arrêter", "arrêtez", "stop", "désabonner", "me désabonner", "désinscrire",
            ),
            Command.START: ("démarrer", "commencer", "reprendre", "s'abonner"),
            Command.PASS: ("je passe", "passer", "non merci", "annuler", "renoncer"),
            Command.HUMAN: ("humain", "conseiller", "conseillère", "une personne", "un humain"),
            Command.HELP: ("aide", "à l'aide", "aidez moi"),
        },
        "es": {
            Command.STOP: ("parar", "alto", "baja", "darme de baja", "cancelar suscripción", "detener"),
            Command.START: ("iniciar", "empezar", "alta", "reanudar"),
            Command.PASS: ("paso", "pasar", "no gracias", "cancelar", "renunciar"),
            Command.HUMAN: ("humano", "persona", "agente", "una persona", "asesor"),
            Command.HELP: ("ayuda", "ayúdame"),
        },
        "pt": {
            Command.STOP: ("parar", "pare", "sair", "cancelar inscrição", "descadastrar"),
            Command.START: ("iniciar", "começar", "voltar"),
            Command.PASS: ("passo", "passar", "não obrigado", "não obrigada", "desistir", "cancelar"),
            Command.HUMAN: ("humano", "pessoa", "atendente", "uma pessoa"),
            Command.HELP: ("ajuda", "me ajuda"),
        },
        "it": {
            Command.STOP: ("basta", "ferma", "fermati", "disiscrivimi", "cancellami", "annulla iscrizione"),
            Command.START: ("inizia", "avvia", "riprendi"),
            Command.PASS: ("passo", "rinuncio", "no grazie", "annulla"),
            Command.HUMAN: ("umano", "operatore", "operatrice", "una persona"),
            Command.HELP: ("aiuto", "aiutami"),
        },
    }
)  # fmt: skip


class CommandBook:
    """The commands of one brand, looked up by the whole message.

    English always works, because our own texts name STOP and HUMAN. Where two languages use one word, the
    command that stands first in `Command` wins: STOP before everything. Words of the brand are added.
    """

    def __init__(
        self,
        languages: Sequence[str] = tuple(DEFAULT_WORDS),
        brand_words: Mapping[Command, Sequence[str]] | None = None,
    ) -> None:
        own = {} if brand_words is None else brand_words
        chosen = [DEFAULT_WORDS[language] for language in ("en", *languages) if language in DEFAULT_WORDS]
        self._commands: dict[str, Command] = {}
        for command in Command:
            for words in (*(language[command] for language in chosen), own.get(command, ())):
                self._add(command, words)

    def _add(self, command: Command, words: Sequence[str]) -> None:
        for word in words:
            normalised = normalise(word)
            if normalised:
                self._commands.setdefault(normalised, command)

    def read(self, text: str) -> Command | None:
        """The command that this whole message is. “Stop! Stop!” is STOP, “we must STOP this” is not."""
        words = tokens(text)
        whole = words[0] if len(set(words)) == 1 else " ".join(words)
        return self._commands.get(whole)
