"""What does granian start? The application, which ends with the process that started it.

A file of its own: that process checks the settings and watches, and needs none of the pages.
"""

import gc
import os
from multiprocessing import parent_process

from flask import Flask

from claimbot.app import create_app
from claimbot.cli.processes import die_with_parent

# A group of deliveries makes some ten thousand objects, and all of them are gone with its answers.
OBJECTS_MOST = 20_000


def create_following_app() -> Flask:
    """A process of granian's that outlived it would keep the port, and the next one could not start."""
    die_with_parent()
    parent = parent_process()
    if parent is not None and os.getppid() != parent.pid:
        # It was gone before we could ask to follow it.
        os._exit(0)
    app = create_app()
    _calm_collector()
    return app


def _calm_collector() -> None:
    """What was made until now stays for good: looking through it again and again took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_MOST)
