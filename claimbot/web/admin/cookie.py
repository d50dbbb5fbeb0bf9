"""Which cookie says who is signed in? One that only this host can set and only a secure page can read."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Response

from claimbot.settings import Settings

LOOPBACK = frozenset(("127.0.0.1", "localhost", "::1"))


@dataclass(frozen=True, slots=True)
class Cookie:
    """`__Host-` makes browsers refuse it without Secure and Path=/, and from any other host."""

    name: str = "__Host-cb"
    is_secure: bool = True

    def put(self, response: Response, token: str) -> Response:
        """It ends with the browser; the session ends by the server's clock."""
        response.set_cookie(self.name, token, path="/", secure=self.is_secure, httponly=True, samesite="Lax")
        return response

    def drop(self, response: Response) -> Response:
        response.delete_cookie(self.name, path="/", secure=self.is_secure, httponly=True, samesite="Lax")
        return response


def cookie_of(settings: Settings) -> Cookie:
    """Not every browser stores a Secure cookie of a plain page on this very machine."""
    address = urlsplit(settings.own_url)
    is_here = address.scheme == "http" and address.hostname in LOOPBACK
    if is_here and settings.environment != "production":
        return Cookie("cb", is_secure=False)
    return Cookie()
