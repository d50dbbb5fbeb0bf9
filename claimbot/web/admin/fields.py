"""What does a form of the admin pages take? WTForms reads and checks it, in our words."""

from collections.abc import Callable, Mapping
from typing import Any, Self

from flask import request
from wtforms import Form
from wtforms.fields import PasswordField
from wtforms.fields.choices import SelectChoice
from wtforms.fields.core import Field, UnboundField
from wtforms.meta import DefaultMeta
from wtforms.validators import DataRequired, Length, Regexp


def plain(value: object) -> object:
    """PostgreSQL cannot keep the letter NUL."""
    return value.replace("\0", "") if isinstance(value, str) else value


def stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


class AdminForm(Form):
    """Blanks around a word do not count, but in a password. The token of the form is the guard's to check."""

    class Meta(DefaultMeta):
        def bind_field(self, form: Any, unbound_field: UnboundField, options: Mapping[str, Any]) -> Field:
            is_password = issubclass(unbound_field.field_class, PasswordField)
            filters: list[Callable[[object], object]] = [plain] if is_password else [plain, stripped]
            own = unbound_field.kwargs.get("filters", ())
            return unbound_field.bind(form=form, **{**options, "filters": [*filters, *own]})

    @classmethod
    def typed(cls, **values: Any) -> Self:
        """As it came with this request; `values` stand where nothing came."""
        return cls(request.form if request.method == "POST" else None, data=values)

    @property
    def faults(self) -> dict[str, list[str]]:
        """Sentences by field, for the macros."""
        return {name: [str(one) for one in found] for name, found in self.errors.items() if name}

    def blame(self, name: str, sentence: str) -> None:
        """What only the ledger or the outside world could know."""
        field = self[name]
        field.errors = [*field.errors, sentence]


def choices(words: Mapping[str, str]) -> list[SelectChoice]:
    """word → what a person reads."""
    return [SelectChoice(value=word, label=text) for word, text in words.items()]


def needed(sentence: str) -> DataRequired:
    return DataRequired(sentence)


def at_most(count: int) -> Length:
    return Length(max=count, message=f"At most {count} characters.")


def an_address() -> Regexp:
    """Whether it exists, only a message to it would show."""
    return Regexp(r"[^@\s]+@[^@\s]+\Z", message="This is no e-mail address.")
