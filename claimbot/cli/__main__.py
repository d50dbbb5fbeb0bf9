"""python -m claimbot.cli: how `claimbot up` starts its own processes."""

from claimbot.cli import main

main()
