"""CIF in and out of a command, by the CIF keys of the spec. The rules themselves are in qcrbox.cif.convert."""

from __future__ import annotations

from dataclasses import dataclass, field

from qcrbox.spec.model import Application, CifInput, CifOutput


@dataclass
class Converted:
    """A converted CIF in UTF-8, with the warnings of the conversion."""

    content: bytes
    warnings: list[str] = field(default_factory=list)


def for_command(source: bytes, filename: str, cif: CifInput, application: Application) -> Converted:
    """What the command reads. Raises CifError and MissingItemsError."""
    # Start-up time: only commands with CIFs convert.
    from qcrbox.cif.convert import specific

    made = specific(source, _input_entries(cif, application), filename=filename)
    return Converted(made.bytes, [str(warning) for warning in made.warnings])


def merged_back(
    output: bytes,
    output_name: str,
    source: bytes | None,
    cif: CifOutput | CifInput,
    application: Application,
    *,
    missing_is_warning: bool = False,
) -> Converted:
    """The source with what the command changed; without a source the output alone. Raises CifError and MissingItemsError."""
    # Start-up time: only commands with CIFs convert.
    from qcrbox.cif.convert import merge_back

    if isinstance(cif, CifOutput):
        entries = _output_entries(cif, application, missing_is_warning)
    else:
        entries = _of_input(cif, application)
    made = merge_back(output, source, entries, filename=output_name)
    return Converted(made.bytes, [str(warning) for warning in made.warnings])


def _input_entries(cif: CifInput, application: Application):
    # Start-up time: only commands with CIFs convert.
    from qcrbox.cif.convert import InputEntries

    return InputEntries(
        required=cif.required_entries,
        optional=cif.optional_entries,
        required_sets=cif.required_entry_sets,
        optional_sets=cif.optional_entry_sets,
        merge_su=cif.merge_su,
        custom_categories=cif.custom_categories,
        entry_sets=application.entry_sets,
        dialect=cif.dialect,
    )


def _of_input(cif: CifInput, application: Application):
    # Start-up time: only commands with CIFs convert.
    from qcrbox.cif.convert import OutputEntries

    return OutputEntries.of_input(_input_entries(cif, application))


def _output_entries(cif: CifOutput, application: Application, missing_is_warning: bool):
    # Start-up time: only commands with CIFs convert.
    from qcrbox.cif.convert import OutputEntries

    return OutputEntries(
        required=cif.required_entries,
        optional=cif.optional_entries,
        required_sets=cif.required_entry_sets,
        optional_sets=cif.optional_entry_sets,
        invalidated=cif.invalidated_entries,
        invalidated_sets=cif.invalidated_entry_sets,
        custom_categories=cif.custom_categories,
        output_block=cif.output_block,
        missing_is_warning=missing_is_warning,
        entry_sets=application.entry_sets,
    )
