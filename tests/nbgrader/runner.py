"""Runs nbgrader's commands in forks of one process, because importing nbgrader takes some seconds.

Standard input: a line of JSON each with `cwd`, `env` and `arguments`; the answer is a line with `code` and `words`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback

from nbgrader.apps.nbgraderapp import NbGraderApp


def run(asked: dict[str, object]) -> dict[str, object]:
    """The exit code of a command and what it wrote."""
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            os.environ.update(asked["env"])  # type: ignore[call-overload]
            os.chdir(str(asked["cwd"]))
            code = 1
            try:
                NbGraderApp.launch_instance(argv=asked["arguments"])
                code = 0
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
            except BaseException:  # noqa: BLE001 - the parent says what happened
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        output.seek(0)
        return {"code": os.waitstatus_to_exitcode(status), "words": output.read().decode(errors="replace")}


for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)
