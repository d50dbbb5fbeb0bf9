"""A worker that stops at a failpoint: `python -m tests.e2e.paused_worker NAME FILE` writes FILE there."""

import sys
import threading
from pathlib import Path

from claimbot.cli.serve import worker
from claimbot.failpoints import armed

# Longer than the test: it is killed there.
PAUSE_SECONDS = 60.0


def main(name: str, path: Path) -> None:
    def pause() -> None:
        path.write_text("here", "utf-8")
        threading.Event().wait(PAUSE_SECONDS)

    with armed(name, pause):
        worker.main([], standalone_mode=False)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
