"""What does granian start? The application, which ends with the process that started it.

A file of its own: that process checks the settings and watches, and needs none of the pages.
"""

import os
from multiprocessing import parent_process

from flask import Flask

from claimbot.app import create_app
from claimbot.cli.processes import die_with_parent


def create_following_app() -> Flask:
    """A process of granian's that outlived it would keep the port, and the next one could not start."""
    die_with_parent()
    parent = parent_process()
    if parent is not None and os.getppid() != parent.pid:
        # It was gone before we could ask to follow it.
        os._exit(0)
    return create_app()
