from __future__ import annotations

import pytest
from qcrbox.contract.states import State

pytestmark = pytest.mark.asyncio(loop_scope="module")

CIF = b"data_x\n_cell_length_a 10.000(2)\n_cell_length_b 11.5\n_cell_volume 1400\n_my_own_item kept\n"


async def test_the_agent_says_what_it_runs(agent):
    ready = await agent.ready()
    assert (ready.application_slug, ready.application_version) == ("sample", "1.0")
    assert "no_op" in ready.commands
    assert ready.pid == agent.process.pid
    assert ready.notes == []


async def test_a_command_that_does_nothing_needs_no_request_and_hardly_an_event(agent, platform):
    before = platform.files.requests
    end = await agent.run("no_op")
    assert (end.status, end.outputs, end.error_msg) == (State.SUCCESSFUL, [], "")
    # When it ends within a few milliseconds its end is the only event.
    assert agent.steps(end.calculation_id) in ([], ["running"])
    assert platform.files.requests == before
    assert end.timings_s.keys() >= {"run", "total"}


async def test_a_callable_returns_a_file(agent, platform):
    end = await agent.run("echo", text="one two", times=2)
    assert end.status is State.SUCCESSFUL
    (output,) = end.outputs
    assert (output.name, output.filename, output.primary) == ("written", "written.txt", True)
    assert platform.files.outputs["written.txt"] == b"one two\none two\n"
    assert output.upload_id == "u-" + output.sha256[:8]


@pytest.mark.parametrize("name", ["World", "a'b; touch /tmp/pwned; '", '$(id) `id` "x"', "line\nbreak"])
async def test_a_program_gets_its_values_as_words(agent, platform, name):
    end = await agent.run("greet", name=name)
    assert end.status is State.SUCCESSFUL, end.error_msg
    assert platform.files.outputs["greeting.txt"].decode() == f"Greetings, {name}!\n"
    assert agent.output(end.calculation_id) == f"Greetings, {name}!\n"


async def test_an_input_file_is_there_under_its_own_name(agent, platform):
    ref = platform.files.add("f1", b"content\x00\xff", "my data.bin")
    end = await agent.run("copy_file", ref, original={"data_file_id": "f1"})
    assert end.status is State.SUCCESSFUL, end.error_msg
    assert platform.files.outputs["copy.txt"] == b"content\x00\xff"
    assert agent.steps(end.calculation_id) == ["fetching", "running", "uploading"]


async def test_a_cif_is_converted_for_the_command_and_merged_back(agent, platform):
    ref = platform.files.add("cif1", CIF, "model.cif")
    end = await agent.run("shift_cell", ref, model={"data_file_id": "cif1"}, by=0.25)
    assert end.status is State.SUCCESSFUL, end.error_msg
    merged = platform.files.outputs["shifted.cif"].decode()
    lines = {line.split()[0]: line.split()[1] for line in merged.splitlines() if line.startswith("_")}
    assert lines["_cell.length_a"] == "10.250"
    assert lines["_cell.length_b"] == "11.5"
    assert lines["_my_own_item"] == "kept"
    assert "_cell.volume" not in lines
    assert agent.steps(end.calculation_id) == ["fetching", "converting", "running", "uploading"]


async def test_a_cif_without_a_needed_item_is_refused_naming_it(agent, platform):
    ref = platform.files.add("cif2", b"data_x\n_cell_length_b 1\n", "poor.cif")
    end = await agent.run("shift_cell", ref, model={"data_file_id": "cif2"}, by=0.25)
    assert end.status is State.FAILED
    assert "_cell_length_a" in end.error_msg
    assert "running" not in agent.steps(end.calculation_id)


async def test_a_forced_command_gets_the_file_as_it_is(agent, platform):
    ref = platform.files.add("cif3", b"data_x\n_cell_length_b 1\n", "poor.cif")
    end = await agent.run("shift_cell", ref, model={"data_file_id": "cif3"}, by=0.25, _force=True)
    assert end.error_msg.startswith("AssertionError")
    assert "running" in agent.steps(end.calculation_id)


async def test_a_damaged_input_is_refused(agent, platform):
    ref = platform.files.add("f2", b"good", "f.txt")
    platform.files.inputs["f2"] = b"evil"
    end = await agent.run("copy_file", ref, original={"data_file_id": "f2"})
    assert end.status is State.FAILED
    assert "arrived damaged" in end.error_msg


async def test_files_are_asked_for_again_while_the_registry_is_down(agent, platform):
    ref = platform.files.add("f3", b"patience", "f.txt")
    platform.files.refuse += [503, 500, 429]
    end = await agent.run("copy_file", ref, original={"data_file_id": "f3"})
    assert end.status is State.SUCCESSFUL
    assert platform.files.outputs["copy.txt"] == b"patience"


async def test_an_exception_is_the_message_and_its_traceback_the_log(agent):
    end = await agent.run("fail", message="No such atom: C99")
    assert end.status is State.FAILED
    assert end.error_msg.startswith("ValueError: No such atom: C99\n")
    trace = agent.output(end.calculation_id, "stderr")
    assert "Traceback" in trace
    assert "sample_commands.py" in trace
    assert "worker.py" not in trace


async def test_a_program_that_fails_gives_its_exit_code_and_last_words(agent):
    end = await agent.run("fail_cli", code=3)
    assert (end.status, end.returncode) == (State.FAILED, 3)
    assert end.error_msg == "The program ended with exit code 3.\nthe last words"


@pytest.mark.parametrize(("number", "words"), [(11, "segmentation fault"), (9, "memory"), (6, "aborted")])
async def test_a_crash_is_told_in_words_and_the_next_command_works(agent, number, words):
    end = await agent.run("crash", signal_number=number)
    assert (end.status, end.returncode) == (State.FAILED, 128 + number)
    assert words in end.error_msg
    assert (await agent.run("no_op")).status is State.SUCCESSFUL


async def test_a_missing_required_output_is_a_failure(agent):
    end = await agent.run("forgetful")
    assert end.status is State.FAILED
    assert "did not produce its declared required output 'never'" in end.error_msg


async def test_all_output_arrives_once_and_in_order(agent):
    end = await agent.run("chatter", lines=20_000, width=60)
    text = agent.output(end.calculation_id)
    assert text == "".join(f"{n:08d} ".ljust(60, ".") + "\n" for n in range(20_000))
    assert agent.output(end.calculation_id, "stderr") == "".join(f"{n:08d}\n" for n in range(20_000))


async def test_the_middle_of_very_long_output_is_cut_and_marked(agent):
    end = await agent.run("chatter", lines=130_000, width=99)
    text = agent.output(end.calculation_id)
    assert len(text) < 10_500_000
    assert text.startswith("00000000 ")
    assert text.endswith(f"{129_999:08d} ".ljust(99, ".") + "\n")
    head, _, tail = text.partition("\n[… ")
    cut = int(tail.split(" bytes")[0])
    assert len(head) + cut + len(tail.partition("…]\n")[2]) == pytest.approx(13_000_000, abs=2)


async def test_progress_of_a_callable_arrives(agent):
    end = await agent.run("sleep", seconds=0.05, steps=5)
    progress = [e for e in agent.of_kind("progress") if e.calculation_id == end.calculation_id]
    assert [p.metrics["step"] for p in progress] == [1, 2, 3, 4, 5]
    assert progress[-1].fraction == pytest.approx(0.8)


async def test_progress_of_a_program_is_read_from_its_lines(agent):
    end = await agent.run("count_cycles")
    last = [e for e in agent.of_kind("progress") if e.calculation_id == end.calculation_id][-1]
    assert last.fraction == 1.0
    assert last.metrics == {"cycle": 4.0, "R1": 0.04}


async def test_unknown_commands_and_foreign_applications_are_refused(agent):
    assert "has no command 'nonsense'" in (await agent.run("nonsense")).error_msg


async def test_a_new_attempt_of_the_same_calculation_runs(agent):
    await agent.run("no_op", _id="again")
    await agent.run("no_op", _id="again", _attempt=2)
    await agent.platform.until(lambda: len(agent.ends("again")) == 2)
    assert [end.attempt for end in agent.ends("again")] == [1, 2]


async def test_commands_are_gone_from_the_queue_when_they_are_done(agent, platform):
    await agent.run("no_op")

    async def pending() -> int:
        return (await platform.bus.pending())["COMMANDS"]

    for _ in range(200):
        if await pending() == 0:
            break
    assert await pending() == 0


async def test_nothing_is_left_in_the_work_folder(agent, platform):
    await agent.run("echo", text="x", times=1)
    assert list((platform.folder / agent.name).iterdir()) == []


async def test_another_owner_gets_another_worker(agent):
    await agent.run("no_op", _owner="anna")
    of_anna = set(agent.processes())
    await agent.run("no_op", _owner="anna")
    assert set(agent.processes()) == of_anna
    await agent.run("no_op", _owner="bert")
    assert len(set(agent.processes()) - of_anna) == 1
    assert len(agent.processes()) == len(of_anna)


async def test_heartbeats_come_by_themselves(agent, platform):
    await platform.until(lambda: any(one.source == agent.name for one in platform.heartbeats))
