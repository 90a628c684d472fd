"""The player of conversations with branches, and of turns that wait for a person."""

from playwright.sync_api import Page, expect

from conversations.protocol.agui import events
from tests.browser.stage import write_turn
from tests.browser.tape import Playing, Tape
from tests.reducing.record import CONVERSATION, Record

DAY = 24 * 3_600_000
WAITED = "[data-waited]"


def turns_of(*numbers: int) -> Record:
    """A turn for each number, which is all that is asked and answered in it."""
    record = Record()
    for number in numbers:
        write_turn(record, f"question {number}", f"answer {number}")
    return record


def texts_of(playing: Playing) -> list[str]:
    """The questions and answers on the page."""
    playing.dom()  # waits until all of it is drawn
    return playing.log.locator("article .text").all_text_contents()


def line(*numbers: int) -> list[str]:
    return [f"{kind} {number}" for number in numbers for kind in ("question", "answer")]


def begun(*numbers: int) -> list[str]:
    """The turns before the last one, and of that one the question."""
    return [*line(*numbers[:-1]), f"question {numbers[-1]}"]


# -- branches


def test_a_turn_is_shown_with_what_it_followed_on_and_nothing_else(page: Page) -> None:
    tape = Tape(turns_of(1, 2, 3, 4, 5), parents={3: 1, 5: 2})  # 1 - 2 - 5, 1 - 3 - 4
    playing = tape.open(page)
    lines = {1: (1,), 2: (1, 2), 3: (1, 3), 4: (1, 3, 4), 5: (1, 2, 5)}
    for turn in (5, 4, 3, 2, 1, 4, 5):
        playing.at(tape.turns[turn - 1][-1]["timestamp"])
        assert texts_of(playing) == line(*lines[turn])


def test_a_first_question_that_was_asked_anew_stands_alone(page: Page) -> None:
    tape = Tape(turns_of(1, 2, 3), parents={3: 0})
    playing = tape.open(page)
    playing.at(tape.times[-1])
    assert texts_of(playing) == line(3)
    playing.at(tape.turns[1][-1]["timestamp"])
    assert texts_of(playing) == line(1, 2)


def test_steps_go_through_branches_in_the_order_of_the_record(page: Page) -> None:
    tape = Tape(turns_of(1, 2, 3), parents={3: 1})
    playing = tape.open(page, "#turn-2")
    place = playing.player.locator("#place")
    playing.step("t")
    expect(place).to_have_text("Turn 3 of 3")
    for _ in range(3):
        playing.step("e")
    assert texts_of(playing) == begun(1, 3)
    playing.step("T")
    playing.step("T")
    playing.at(tape.turns[1][-1]["timestamp"])
    assert texts_of(playing) == line(1, 2)
    playing.step("e")
    expect(place).to_have_text("Turn 3 of 3")
    playing.step("E")
    assert texts_of(playing) == line(1, 2)


def test_played_through_it_changes_from_one_branch_to_the_other(page: Page) -> None:
    tape = Tape(turns_of(1, 2, 3), pace=5, parents={3: 1})
    playing = tape.open(page)
    playing.play.click()
    expect(playing.play).to_be_visible()
    playing.dom()
    expect(playing.player.locator("#place")).to_have_text("Turn 3 of 3")
    assert texts_of(playing) == line(1, 3)


def test_earlier_turns_of_a_branch_are_those_that_it_goes_back_to(page: Page) -> None:
    odd = {number: number - 2 for number in range(3, 41)}  # two branches, a turn of each after the other
    tape = Tape(turns_of(*range(1, 41)), parents={2: 0} | odd)
    playing = tape.open(page, "#turn-39")
    playing.at(tape.turns[38][-1]["timestamp"])
    assert texts_of(playing) == line(*range(29, 40, 2))
    page.get_by_role("button", name="Earlier turns").click()
    expect(playing.log.get_by_role("article")).to_have_count(32)
    assert texts_of(playing) == line(*range(9, 40, 2))
    page.get_by_role("button", name="Earlier turns").click()
    expect(playing.log.get_by_role("article")).to_have_count(40)
    expect(page.get_by_role("button", name="Earlier turns")).to_be_hidden()


# -- waiting for a person


def turn_with_a_wait() -> Record:
    """A turn whose call waits until somebody has decided, and goes on as another run."""
    record = Record()
    record.ask("May it?")
    record.step()
    record.call()
    record.part('{"sign": "WZPZ"}')
    record.end()
    record.finish_step()
    call = record.events[-2]["toolCallId"]
    interrupt = {"id": call, "reason": "tool_call", "message": "Run top_song?", "toolCallId": call}
    waits = {"outcome": {"type": "interrupt", "interrupts": [interrupt]}}
    record.write(events.run_finished(CONVERSATION, record.turn, "interrupt", []) | waits)
    record.write(events.run_started(CONVERSATION, f"{record.turn}:2"))
    record.answer('{"song": "Elemental Hotel"}', "success")
    record.step()
    record.text()
    record.part("It did.")
    record.end()
    record.finish_step()
    record.finish()
    return record


def seq(record: Record, kind: str, number: int = 0) -> int:
    """The place of an event of a kind."""
    seqs = [event["metadata"]["seq"] for event in record.events if event["type"] == kind]
    return int(seqs[number])


def test_the_wait_for_a_person_is_shortened_and_marked_at_the_call(page: Page) -> None:
    record = turn_with_a_wait()
    tape = Tape(record, waits={seq(record, "RUN_STARTED", 1): DAY})
    playing = tape.open(page)
    expect(playing.skipping).not_to_be_checked()
    expect(playing.times).to_contain_text("/ 0:02")
    playing.at(tape.times[-1])
    assert texts_of(playing) == ["May it?", "It did."]
    call = playing.log.get_by_role("group", name="Tool call top_song")
    expect(call).to_have_attribute("data-waited", "1440 min 0 s of waiting, shortened")
    expect(playing.log.locator(WAITED)).to_have_count(1)


def test_a_turn_waits_and_goes_on_where_it_was(page: Page) -> None:
    record = turn_with_a_wait()
    tape = Tape(record, waits={seq(record, "RUN_STARTED", 1): DAY})
    playing = tape.open(page)
    playing.at(tape.times[seq(record, "RUN_FINISHED") - 1])
    expect(playing.log.get_by_text("Waiting for an approval.")).to_be_visible()
    before = playing.dom()
    playing.step()
    expect(playing.log.get_by_text("Waiting for an approval.")).to_have_count(0)
    expect(playing.log.locator(".doing")).to_have_text("Working")
    playing.step("E")
    assert playing.dom() == before


def test_a_call_that_was_approved_runs_from_then_on(page: Page) -> None:
    record = turn_with_a_wait()
    result, resumed = seq(record, "TOOL_CALL_RESULT"), seq(record, "RUN_STARTED", 1)
    tape = Tape(record, waits={resumed: DAY, result: 5_000})
    playing = tape.open(page)
    playing.at(tape.times[result - 1] - 2_000)
    expect(playing.log.locator(".elapsed").first).to_have_text("3.0 s")


def test_a_wait_is_played_without_stopping(page: Page) -> None:
    record = turn_with_a_wait()
    tape = Tape(record, pace=10, waits={seq(record, "RUN_STARTED", 1): DAY})
    playing = tape.open(page)
    playing.player.get_by_label("Speed").select_option("16")
    playing.play.click()
    expect(playing.play).to_be_visible()
    assert texts_of(playing) == ["May it?", "It did."]
