"""How is an amount written? Integer minor units and a currency, always together."""

import re
from dataclasses import dataclass

# Currencies that Stripe counts without decimals, and with three (Stripe docs, "currencies").
ZERO_DECIMAL = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF".split())
THREE_DECIMAL = frozenset("BHD JOD KWD OMR TND".split())


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` units of `currency` (ISO 4217, upper case)."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if len(self.currency) != 3 or not self.currency.isascii() or not self.currency.isupper():
            raise ValueError("currency is three capital letters, such as EUR")

    def of(self, minor: int) -> "Money":
        """Another amount of the same currency."""
        return Money(minor, self.currency)

    def times(self, quantity: int) -> "Money":
        return Money(self.minor * quantity, self.currency)


def decimals(currency: str) -> int:
    """How many digits stand after the point in this currency."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def plain(money: Money) -> str:
    """`129.00 EUR`: unambiguous in every language, and the same in a log and in a DM."""
    digits = decimals(money.currency)
    if digits == 0:
        return f"{money.minor} {money.currency}"
    whole, rest = divmod(abs(money.minor), 10**digits)
    sign = "-" if money.minor < 0 else ""
    return f"{sign}{whole}.{rest:0{digits}d} {money.currency}"


# Eight digits are the most that a price has; this leaves room for a clear refusal of more.
AMOUNT = re.compile(r"([0-9]{1,10})(?:[.,]([0-9]{1,3}))?")


def read_amount(typed: str, currency: str) -> Money | None:
    """`129`, `129.00` or `129,00` as a person types it; None when it is no amount of this currency."""
    found = AMOUNT.fullmatch(typed.strip())
    if found is None or len(found[2] or "") not in (0, decimals(currency)):
        return None
    digits = decimals(currency)
    return Money(int(found[1]) * 10**digits + int((found[2] or "").ljust(digits, "0") or "0"), currency)
