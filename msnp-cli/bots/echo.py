#!/usr/bin/env python3
"""Answers every text with the same text. The options are those of `msnp pipe`:

    MSNP_PASSWORD=... ./echo.py --server im.example.net --account bot@example.net
"""

import json
import os
import subprocess
import sys

command = [os.environ.get("MSNP", "msnp"), "pipe", *sys.argv[1:]]
pipe = subprocess.Popen(
    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", bufsize=1
)
for line in pipe.stdout:
    event = json.loads(line)
    if event["type"] == "message" and "text" in event:
        answer = {"do": "send", "chat": event["chat"], "text": event["text"]}
        print(json.dumps(answer), file=pipe.stdin, flush=True)
    elif event["type"] in ("failed", "refused"):
        print(line, end="", file=sys.stderr)
sys.exit(pipe.wait())
