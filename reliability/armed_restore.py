"""A restore with failpoints: like ``reliability.armed``, for ``python -m reliability.armed_restore BACKUP CONFIGURATION``; the shares come on stdin."""

from __future__ import annotations

import os
import sys

from reliability.armed import VARIABLE, parse
from strongroom import failpoints
from strongroom.server.restore import Wishes, run

if __name__ == "__main__":
    failpoints.arm(parse(os.environ.get(VARIABLE, "")))
    shares = iter(sys.stdin.read().split())
    done = run(sys.argv[1], [sys.argv[2]], lambda _number, _of: next(shares), Wishes(force=True, keep_tokens=True))
    sys.stdout.write(done.refusal)
    sys.exit(done.exit_code)
