"""Which browser is this, in words that its owner knows it by?"""

# The first that is found: most browsers claim to be several others, too.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def agent_words(header: str) -> str:
    """`Firefox on Linux`; nothing of what was sent is repeated."""
    browser, system = _first(BROWSERS, header), _first(SYSTEMS, header)
    if not browser:
        return f"A browser on {system}" if system else "A browser"
    return f"{browser} on {system}" if system else browser


def _first(table: tuple[tuple[str, str], ...], header: str) -> str:
    return next((words for mark, words in table if mark in header), "")
