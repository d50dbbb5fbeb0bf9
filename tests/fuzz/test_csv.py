"""Does every cell of the lead list come back as it was, and does none of them run in a spreadsheet?"""

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from claimbot.core.leads import COLUMNS, TRIGGERS, csv_line, safe_cell
from tests.core.test_leads import ROW, read_back
from tests.fuzz import thorough
from tests.lead_file import cells

SPECIAL = st.sampled_from([*sorted(TRIGGERS), " ", ",", '"', "'", "0", "1", "e", "\u00a0", "\ufeff", "a"])
TEXTS = st.text(max_size=12) | st.text(SPECIAL, max_size=8)


@thorough
@given(name=TEXTS, note=TEXTS, phone=st.none() | TEXTS)
@example(name="=1+1", note='",\r\n', phone="\0")
def test_no_cell_starts_with_a_trigger_and_no_text_is_lost(name: str, note: str, phone: str | None) -> None:
    row = replace(ROW, name=name, note=note, phone=phone)
    (line,) = read_back(csv_line(cells(row)))
    read = dict(zip(COLUMNS, line, strict=True))
    assert [cell for cell in line if cell[:1] in TRIGGERS and cell] == []
    assert [read["name"], read["note"], read["phone"]] == [safe_cell(name), safe_cell(note), safe_cell(phone)]
    assert read["name"].removeprefix("" if safe_cell(name) == name else "'") == name
    assert read["note"].removeprefix("" if safe_cell(note) == note else "'") == note


@thorough
@given(line=st.lists(TEXTS, min_size=1, max_size=6))
def test_any_line_is_read_back_as_it_was(line: list[str]) -> None:
    assert read_back(csv_line(line)) == [line]
