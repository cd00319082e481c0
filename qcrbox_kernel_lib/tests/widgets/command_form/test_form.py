"""The form of a command: what it holds, what is wrong, and controls that take what is set from Python."""

from __future__ import annotations

import pytest
from qcrbox.client.parameters import Parameter
from qcrbox.contract.errors import UserInputError
from qcrbox.widgets.command_form import CommandForm, FormSource

PARAMETERS = {
    "input_cif": Parameter("input_cif", "QCrBox.cif_data_file"),
    "hkl": Parameter("hkl", "QCrBox.data_file", required=False),
    "cycles": Parameter("cycles", "int", "Cycles.", 10, False, minimum=0, maximum=100),
    "hydrogens": Parameter("hydrogens", "str", "", "riding", False, choices=("riding", "free")),
    "grid": Parameter("grid", "float", "", 0.2, False, minimum=0.05, maximum=0.5, unit="Å"),
    "anharmonic": Parameter("anharmonic", "bool", "", False, False),
    "title": Parameter("title", "str", "", None, False),
    "limit": Parameter("limit", "int", "", None, False),
}


class Presets(dict):
    def save(self, name, **options):
        if not name.strip():
            raise UserInputError("A preset needs a name.")
        self[name.strip()] = options


class File:
    name = "azu"


@pytest.fixture
def submitted():
    return []


@pytest.fixture
def form_of(submitted):
    def make(*args, **options):
        source = FormSource(
            "refine_iam",
            "qc.refine.refine_iam",
            "Refine <i>IAM</i>",
            "Refine <b>it</b>.",
            PARAMETERS,
            Presets(quick={"cycles": 2}),
            lambda **values: submitted.append(values),
            lambda parameter: [("–", None)],
            lambda value: 'qc["azu"]' if isinstance(value, File) else repr(value),
        )
        return CommandForm(source, *args, **options)

    return make


# ---------------------------------------------------------------- state


def test_files_may_be_given_by_place_and_options_by_name(form_of):
    file = File()
    assert form_of(file, cycles=5).values == {"input_cif": file, "cycles": 5}


def test_too_many_files_are_refused_as_by_the_command(form_of):
    with pytest.raises(UserInputError, match=r"takes 2 arguments by position; you gave 3"):
        form_of(File(), File(), File())


@pytest.mark.parametrize(
    "act", [lambda make: make(cycels=5), lambda make: make().set(cycels=5)], ids=["made", "set"]
)
def test_a_slip_names_the_option_that_was_meant(form_of, act):
    with pytest.raises(UserInputError, match=r"no option 'cycels'. Did you mean 'cycles'"):
        act(form_of)


def test_nothing_is_set_where_one_name_is_wrong(form_of):
    form = form_of()
    with pytest.raises(UserInputError):
        form.set(cycles=5, zzz=1)
    assert form.values == {}


@pytest.mark.parametrize(
    ("options", "values"),
    [
        ({"cycles": 10}, {}),
        ({"cycles": "10"}, {}),
        ({"grid": "0.20"}, {}),
        ({"grid": "0.25"}, {"grid": 0.25}),
        ({"anharmonic": "no"}, {}),
        ({"anharmonic": True}, {"anharmonic": True}),
        ({"cycles": 0}, {"cycles": 0}),
        ({"title": ""}, {}),
        ({"hydrogens": "riding"}, {}),
    ],
    ids=lambda value: str(value),
)
def test_only_what_differs_from_the_defaults_is_sent(form_of, options, values):
    assert form_of(**options).values == values


def test_the_code_does_what_the_button_does(form_of, submitted):
    form = form_of(File(), cycles=5, title='a "b"')
    called = []

    class Command:
        def __getattr__(self, name):
            return self if name == "refine" else lambda *args, **options: called.append((args, options))

    class Stored(Command):
        def __getitem__(self, name):
            return form.values["input_cif"]

    exec(str(form.code), {"qc": Stored()})
    form.run()
    ((args, options),) = called
    assert {"input_cif": args[0], **options} == submitted[0]


def test_every_problem_is_told_at_its_field(form_of):
    problems = form_of(cycles=200, hydrogens="none", grid="wide").problems
    assert set(problems) == {"input_cif", "cycles", "hydrogens", "grid"}
    assert problems["input_cif"].startswith("needed")
    assert "between 0 and 100" in problems["cycles"]


def test_a_preset_puts_back_what_it_does_not_name_and_leaves_files(form_of):
    file = File()
    form = form_of(file, grid=0.3, cycles=7)
    form.use({"cycles": 2})
    assert form.values == {"input_cif": file, "cycles": 2}
    assert form.options == {"cycles": 2}


def test_its_text_names_values_and_what_is_missing(form_of):
    text = repr(form_of(cycles=200))
    assert "cycles: 200" in text
    assert "input_cif: –" in text
    assert "between 0 and 100" in text


# ---------------------------------------------------------------- controls


@pytest.fixture
def shown(form_of):
    """`shown(**options)`: a form with its controls."""
    pytest.importorskip("ipywidgets")
    from qcrbox.widgets.command_form.controls import form_widget

    def make(*args, **options):
        form = form_of(*args, **options)
        form.widget = form_widget(form)
        return form

    return make


@pytest.mark.parametrize(
    "options",
    [
        {"cycles": "many"},
        {"cycles": 5000},
        {"hydrogens": "ridding"},
        {"grid": "wide"},
        {"cycles": 2.5},
        {"limit": "x"},
    ],
    ids=str,
)
def test_a_form_with_a_wrong_value_is_shown_with_the_problem(shown, options):
    form = shown(**options)
    (name,) = options
    assert name in form.problems
    assert form._texts[name] == options[name]


@pytest.mark.parametrize(
    ("name", "value", "control"),
    [
        ("cycles", 5, 5),
        ("grid", 0.3, "0.3"),
        ("hydrogens", "free", "free"),
        ("anharmonic", True, True),
        ("title", "x", "x"),
        ("title", None, ""),
        ("limit", 7, "7"),
        ("limit", None, ""),
    ],
)
def test_what_is_set_from_python_is_seen_in_the_control(shown, name, value, control):
    form = shown().set(**{name: value})
    assert form._widgets[name].value == control
    assert form._texts[name] == value or form._texts[name] == control


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cycles", "many"),
        ("cycles", 5000),
        ("cycles", None),
        ("hydrogens", "ridding"),
        ("hydrogens", None),
        ("grid", None),
        ("anharmonic", "perhaps"),
    ],
    ids=str,
)
def test_what_a_control_cannot_show_is_kept_with_its_problem_and_raises_nothing(shown, name, value):
    form = shown()
    form.set(**{name: value})
    assert form._texts[name] == value
    assert (name in form.problems) == (value is not None)


def test_a_file_set_from_python_is_seen_in_its_list(shown):
    file = File()
    form = shown().set(input_cif=file)
    assert form._widgets["input_cif"].value is file
    assert form.values["input_cif"] is file


def test_texts_of_a_spec_are_escaped(shown):
    texts = [
        child.value
        for child in shown().widget.children
        if hasattr(child, "value") and isinstance(child.value, str)
    ]
    assert not any("<b>it" in text for text in texts)
    assert any("&lt;b&gt;it" in text for text in texts)
