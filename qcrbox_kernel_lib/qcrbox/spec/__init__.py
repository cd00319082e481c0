"""Application specs: the identity of a program, and the inputs and outputs of its commands.

application = load(path)                     # any generation of spec file; raises SpecError
command = application.command("smooth")
complete = check(command, {"strength": "1e-1", …})   # raises UserInputError
"""

from qcrbox.spec.arguments import check
from qcrbox.spec.dtypes import DType
from qcrbox.spec.loader import load, loads
from qcrbox.spec.model import (
    Application,
    Call,
    CifInput,
    CifOutput,
    Command,
    Implementation,
    Output,
    Parameter,
    ValidValue,
)

__all__ = [
    "Application",
    "Call",
    "CifInput",
    "CifOutput",
    "Command",
    "DType",
    "Implementation",
    "Output",
    "Parameter",
    "ValidValue",
    "check",
    "load",
    "loads",
]
