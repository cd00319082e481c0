"""The process that reads CIFs for the indexer: `python -m qcrbox_registry.services.cif_process`, one JSON line per request.

Imports only what reading a CIF needs, so that it is there quickly and stays small.
"""

from __future__ import annotations

import json
import math
import os
import resource
import sys
from pathlib import Path
from typing import Any

MEMORY_BYTES = 4 * 1024**3
MOST_NAMES = 5000


def facts(content: bytes, filename: str) -> dict[str, Any] | None:
    """`full` (everything of the index), `elements` and `names` of a file; None when the bytes are no CIF.

    Raises nothing for a damaged CIF: what cannot be read is None there, and `warnings` say why.
    """
    # Start-up time: the process is there before it is asked, and each kind of question loads what it needs.
    from qcrbox.analysis.index import index_file, main_block
    from qcrbox.cif import names, read
    from qcrbox.cif.convert import is_cif

    if not is_cif(content):
        return None
    document = read(content, filename=filename, on_error="keep")
    record = index_file(document, filename)
    block = main_block(document)
    tags = [] if block is None else block.tags
    return {
        "full": _finite(record.to_dict()),
        "elements": record.element_text,
        "names": sorted({names.key(tag) for tag in tags[:MOST_NAMES]}),
    }


def unified(content: bytes, filename: str) -> bytes:
    """The file in the unified dialect. Raises CifError."""
    # Start-up time: as above.
    from qcrbox.cif.convert import unify

    return unify(content, filename=filename).bytes


def _written(content: bytes, request: dict[str, Any]) -> bytes:
    # With the first download of a result.
    from qcrbox.cif.convert.written_names import as_written

    return as_written(content, [Path(path).read_bytes() for path in request["like"]], request["filename"])


def _exercise_facts(content: bytes, filename: str) -> dict[str, Any]:
    # With the first exercise: validation takes longer to load than the index.
    from qcrbox.analysis.exercise_facts import facts_or_reason

    facts, problem = facts_or_reason(content, filename)
    return {"facts": _finite(facts), "problem": problem}


def _picture(content: bytes, target: Path) -> dict[str, Any]:
    """Draws the structure into `target`; `problem` is why there is none, or ""."""
    # With the first picture: the drawing loads the whole of the structure's geometry.
    from qcrbox.contract.errors import QcError
    from qcrbox.widgets.structure_view.still import still_picture

    try:
        target.write_text(still_picture(content), encoding="utf-8")
    except QcError as error:
        return {"problem": error.message}
    return {"problem": ""}


def _finite(value: Any) -> Any:
    """Infinities and NaN as None, NUL as a mark: JSON and PostgreSQL have neither."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, list) else value


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    content = Path(request["path"]).read_bytes()
    if request["do"] == "exercise_facts":
        return _exercise_facts(content, request["filename"])
    if request["do"] == "index":
        return {"facts": facts(content, request["filename"])}
    if request["do"] == "picture":
        return _picture(content, Path(request["target"]))
    made = _written(content, request) if request["do"] == "written" else unified(content, request["filename"])
    Path(request["target"]).write_bytes(made)
    return {}


def main() -> None:
    """Answer requests until standard input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    os.nice(5)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a stray print must not look like an answer
    for line in sys.stdin:
        try:
            answer = _answer(json.loads(line))
        except Exception as error:  # noqa: BLE001 - any file may fail in any way; the next one must not
            answer = {"error": f"{type(error).__name__}: {error}"[:2000]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
