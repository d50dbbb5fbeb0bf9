"""Which words do a person's names consist of, and which does somebody search for?"""

import string

# What divides words in a handle, a name and an e-mail address.
DIVIDERS = string.punctuation + "\u00a0\t\r\n"
BLANKS = str.maketrans(dict.fromkeys(DIVIDERS, " "))


def words_of(text: str) -> tuple[str, ...]:
    """`@Ann.Lee` → ann, lee. A search finds whoever has a word that begins so, for each of its words."""
    return tuple(dict.fromkeys(text.lower().translate(BLANKS).split()))
