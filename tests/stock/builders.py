"""Good defaults, so that a test says only what it is about."""

from claimbot.stock.gate import Ask, Gate, GateSnapshot, Proposal

DROP = "drp_1"
NOON_MS = 1_763_784_000_000


def load(gate: Gate, stock_units: int = 3, epoch: int = 1, variant_id: str = "var_m") -> Gate:
    gate.rebuild(DROP, epoch, {variant_id: range(1, stock_units + 1)}, (), 0)
    return gate


def ask(follower_key: str, quantity: int = 1, variant_id: str = "var_m", partial: bool = True) -> Ask:
    return Ask(follower_key, variant_id, quantity, partial)


def reserve_one(gate: Gate, follower_key: str, quantity: int = 1, partial: bool = True) -> Proposal:
    return gate.reserve(DROP, [ask(follower_key, quantity, partial=partial)], NOON_MS).proposals[0]


def see(gate: Gate) -> GateSnapshot:
    seen = gate.snapshot(DROP)
    assert seen is not None
    return seen


def free_units(gate: Gate, variant_id: str = "var_m") -> set[int]:
    return set(see(gate).free.get(variant_id, ()))
