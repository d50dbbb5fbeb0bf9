"""The web process for any WSGI server: `wsgi:app`."""

from claimbot.app import create_app

app = create_app()
