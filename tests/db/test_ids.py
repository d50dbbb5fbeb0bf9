"""Ids sort by time and cannot be guessed."""

from claimbot.db.ids import ALPHABET, base32, new_id, new_token


def test_ids_begin_with_their_kind_and_sort_by_time() -> None:
    earlier, now = f"clm_{base32(1_700_000_000_000, 10)}", new_id("clm")
    assert now.startswith("clm_")
    assert earlier < now


def test_ids_and_tokens_are_never_the_same() -> None:
    assert len({new_id("clm") for _ in range(2_000)} | {new_token() for _ in range(2_000)}) == 4_000


def test_ids_and_tokens_have_one_length_and_safe_letters() -> None:
    assert (len(new_id("clm")), len(new_token())) == (30, 26)
    assert set(new_id("clm").removeprefix("clm_") + new_token()) <= set(ALPHABET)


def test_a_number_is_written_with_leading_zeros() -> None:
    assert (base32(0, 3), base32(31, 2), base32(32, 2)) == ("000", "0z", "10")
