"""``python -m strongroom`` and the commands ``strongroom`` and ``sr``."""

from __future__ import annotations

import sys

from strongroom.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
