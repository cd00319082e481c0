"""Glue of an older application: in the folder of its spec, under the name that the first registries expected."""

import json
import re
from pathlib import Path


def shift(input_cif_path, by, weighting, output_cif_path):
    assert weighting == "none"
    _lengthen(input_cif_path, by, output_cif_path)
    return output_cif_path


def prepare(input_cif_path):
    Path("prepared").write_text(Path(input_cif_path).name)


def finalise(input_cif_path, output_cif_path):
    assert Path("prepared").read_text() == Path(input_cif_path).name
    _lengthen(input_cif_path, 2, output_cif_path)
    return output_cif_path


def toparams(input_cif_path, parameter_json_path):
    Path(parameter_json_path).write_text(json.dumps({"by": 2}))


def redo(redo_input_cif_path, redo_output_cif_path, parameter_json_path):
    by = json.loads(Path(parameter_json_path).read_text())["by"]
    _lengthen(redo_input_cif_path, by, redo_output_cif_path)
    return redo_output_cif_path


def _lengthen(source, by, target):
    text = Path(source).read_text()
    Path(target).write_text(
        re.sub(r"(_cell.length_a\s+)(\S+)", lambda found: f"{found[1]}{float(found[2]) + by:.3f}", text)
    )
