"""Many calculations at once: every input has its place, whatever became of it."""

from __future__ import annotations

from types import SimpleNamespace

from qcrbox.api.batch import Batch
from qcrbox.contract.errors import UserInputError


class Calculation:
    """A calculation that ended at once, with its input as result."""

    def __init__(self, source: str) -> None:
        self.source, self.short_id = source, source
        self._live = SimpleNamespace(status="successful")

    def result(self, timeout: float | None = None, *, quiet: bool = False) -> str:
        return f"result of {self.source}"


def started(*inputs: str) -> Batch:
    """A batch on these inputs, of which those with an x are refused."""

    def arguments_of(command: object, arguments: dict[str, str]) -> dict[str, str]:
        if "x" in arguments["source"]:
            raise UserInputError(f"{arguments['source']} cannot be used.")
        return arguments

    box = SimpleNamespace(
        files=SimpleNamespace(as_arguments=arguments_of),
        client=SimpleNamespace(
            post=lambda path, body: {"calculation_ids": [str(n) for n in range(len(body["commands"]))]}
        ),
        calculations=SimpleNamespace(
            made=lambda number, command, arguments: Calculation(arguments["source"])
        ),
    )
    application = SimpleNamespace(slug="refine", version="1")
    command = SimpleNamespace(
        application=application,
        name="refine_iam",
        qualified_name="refine.refine_iam",
        _bind=lambda args, options: {"source": args[0]},
    )
    return Batch.start(box, command, inputs, {})


def test_each_input_has_its_result_or_its_error_in_its_place() -> None:
    """Refused inputs had no entry, so that the results behind them stood beside other inputs."""
    inputs = ["a", "x1", "b", "x2", "x2", "c"]
    results = started(*inputs).results()
    assert [str(getattr(each, "message", each)) for each in results] == [
        "result of a", "x1 cannot be used.", "result of b", "x2 cannot be used.", "x2 cannot be used.", "result of c",
    ]  # fmt: skip


def test_refused_inputs_of_one_name_are_all_told_and_counted() -> None:
    batch = started("x", "a", "x")
    assert list(batch.refused) == ["x", "x (2)"]
    assert batch._title() == "refine.refine_iam × 1: 1 done, 2 refused"
