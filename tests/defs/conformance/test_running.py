"""Runs against testees that are broken: every case is told as what it is, and what is wrong makes the run fail."""

from __future__ import annotations

import json
import signal
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from defs.conformance import BadTestee, Run, in_process, judge, run
from defs.conformance.asking import RECOMMENDED, Ask, Crashed, Reply, Skipped
from defs.conformance.checks import CHECKS
from defs.conformance.checks.common import same_json
from defs.conformance.expected import BadList, Expected
from defs.conformance.running import PATIENCE, choose
from defs.conformance.updating import updated
from defs.vectors.areas import AREAS
from defs.vectors.files import VectorError, default_directory

VECTORS = default_directory()
GROUPS = ["values-002[1-7]", "values-0471", "values-0544", "values-0545"]  #: values of U8, right and wrong
MARKED = {one.case["id"] for one in choose(VECTORS, ["values"], cases=GROUPS) if one.case["bytes"] in (b"\x7f", b"\xfe")}
Broken = Callable[[str], list[str]]


def ran(broken: Broken, mode: str, **options: Any) -> Run:
    return run(broken(mode), areas=["values"], **{"cases": GROUPS, "timeout": 30.0, "jobs": 2, **options})


def statuses(done: Run) -> Counter[str]:
    return Counter(result.status for result in done.results)


def ids(done: Run, status: str) -> set[str]:
    return {result.id for result in done.results if result.status == status}


def test_a_right_testee_passes(broken: Broken) -> None:
    done = ran(broken, "normal")
    assert len(MARKED) == 2
    assert set(statuses(done)) == {"pass"}
    assert (done.status, done.faults, done.crashes, len(done.results)) == (0, [], 0, done.total)
    assert [result.id for result in done.results] == [one.case["id"] for one in choose(VECTORS, ["values"], cases=GROUPS)]


def test_every_area_is_judged() -> None:
    """A case of each, by this library; and no case of any is right for an implementation that says nonsense of good form."""

    def nonsense(op: str, fields: Any) -> Reply:
        return {"ok": True, "json": 7, "bytes": [1], "identifier": 3, "valid": "yes", "errors": 1, "verdict": [], "queries": 5}

    def empty(op: str, fields: Any) -> Reply:
        return {"ok": True}

    assert CHECKS.keys() == AREAS.keys()
    for area in AREAS:
        chosen = choose(VECTORS, [area])[::40]
        lax: Counter[Any] = Counter()  # cases with nothing to compare but that there is a reply
        for _, group, case in chosen:
            result = judge(area, case, VECTORS, in_process(), group=group)
            assert (result.status, result.id, result.group) == ("pass", case["id"], group)
            for ask in (nonsense, empty):
                wrong = judge(area, case, VECTORS, ask)
                lax[ask] += wrong.status == "pass"
                assert "cannot be judged" not in wrong.detail, wrong
                json.dumps([[one.expected, one.got] for one in wrong.differences])
                assert all(map(str, wrong.differences))
        assert all(count * 3 < len(chosen) for count in lax.values()), (area, lax)


ONE_CRASHES = [("die", "died: it exited with status 9"), ("close_output", "died: it closed"),
               ("twice_for_one", "nonsense: after"), ("late_second", "nonsense: after"),
               ("word_after", "nonsense: after"), ("again_before_next", "nonsense: after")]  # fmt: skip


@pytest.mark.parametrize(("mode", "detail"), ONE_CRASHES)
def test_a_case_that_crashes_is_that_case_alone(broken: Broken, mode: str, detail: str) -> None:
    """Also where what is too much comes while the next question is asked; a process is killed at the first such line."""
    done = ran(broken, mode, jobs=1)
    crashed = ids(done, "crashed")
    assert crashed == MARKED or (mode == "late_second" and crashed and crashed < MARKED)
    assert statuses(done)["pass"] == done.total - len(crashed)
    assert all(result.detail.startswith(detail) for result in done.results if result.status == "crashed")
    assert done.status == 1
    assert done.crashes == len(crashed) or mode == "late_second"


def test_a_case_that_hangs_is_late(broken: Broken) -> None:
    done = ran(broken, "hang", timeout=1.0)
    assert ids(done, "crashed") == MARKED & {result.id for result in done.results}
    assert {result.detail for result in done.results if result.status == "crashed"} == {"late: no reply in 1 s"}


def test_a_testee_that_always_hangs_does_not_hold_the_run(broken: Broken) -> None:
    done = ran(broken, "hang_always", timeout=0.05, cases=["values/integers/*"])
    assert statuses(done) == {"crashed": done.total}
    assert PATIENCE <= done.crashes <= PATIENCE + 1 < done.total
    assert "not asked, as 10 cases in a row were late" in done.results[-1].detail


@pytest.mark.parametrize(("mode", "how"), [("nonsense", "nonsense"), ("die_always", "died"), ("twice", "nonsense"),
                                           ("wrong_id", "nonsense"), ("neither", "nonsense")])  # fmt: skip
def test_a_testee_that_is_no_use(broken: Broken, mode: str, how: str) -> None:
    done = run(broken(mode), areas=["values"], cases=["values-002[123]"], timeout=30.0, jobs=2)
    assert statuses(done) == {"crashed": done.total}
    assert all(result.detail.startswith(how) for result in done.results)


def test_swapped_booleans_are_found(broken: Broken) -> None:
    cases = ["values/shapes/*", "values/vectors/*", "values-05[89]*"]
    done = run(broken("swap_booleans"), areas=["values"], cases=cases, timeout=30.0)
    found = [result for result in done.results if result.status == "fail"]
    told = [one for result in found for one in result.differences if one.what == "json"]
    assert len(found) > 3
    assert {one.what for result in found for one in result.differences} == {"json", "from json"}
    assert all("true" in one.expected or "false" in one.expected for one in told)
    assert any((one.expected, one.got) == ("true", "false") for one in told)
    numbered = run(broken("boolean_as_number"), areas=["values"], cases=cases, timeout=30.0)
    assert ids(numbered, "fail") == {result.id for result in found}


def test_noise_changes_nothing(broken: Broken) -> None:
    assert statuses(ran(broken, "noisy")).keys() == {"pass"}


def test_the_testee_as_a_whole(broken: Broken, monkeypatch: pytest.MonkeyPatch) -> None:
    for mode, words in {"exit_7": "exited with status 7", "stay": "had not exited"}.items():
        monkeypatch.setattr("defs.conformance.process.GRACE", 0.3 if mode == "stay" else 30)
        done = ran(broken, mode)
        assert statuses(done).keys() == {"pass"}
        assert len(done.faults) == 1
        assert words in done.faults[0]
        assert done.status == 1


def test_the_last_case_is_told_of_the_last_word(broken: Broken) -> None:
    done = ran(broken, "last_word", jobs=1)
    assert ids(done, "crashed") == {done.results[-1].id}
    assert "bye" in done.results[-1].detail


def test_what_is_skipped_is_no_failure(broken: Broken) -> None:
    nothing = ran(broken, "skip_all")
    assert statuses(nothing) == {"skipped": nothing.total}
    assert {result.detail for result in nothing.results} == {"not today"}
    half = ran(broken, "partial")
    assert statuses(half).keys() == {"pass"}
    assert Counter(result.left_out for result in half.results)[("value.encode",)] == 7
    assert (nothing.status, half.status) == (0, 0)


def test_an_op_that_hello_does_not_list_is_not_asked(broken: Broken) -> None:
    """This testee would die of the first question."""
    done = run(broken("nothing_at_all"), areas=["names", "validation"])
    assert statuses(done) == {"skipped": done.total}
    assert (done.crashes, done.status) == (0, 0)
    one = run(broken("values_only"), areas=["names", "values"], cases=["names-000*", "values-002[1-7]"])
    assert {(result.area, result.status) for result in one.results} == {("names", "skipped"), ("values", "pass")}


def test_always_yes_and_always_no_are_wrong(broken: Broken) -> None:
    for mode, verdict in {"refuse_all": "reject", "accept_all": "accept"}.items():
        done = ran(broken, mode, cases=["values/errors/*", "values/integers/*"])
        verdicts = {one.case["id"]: one.case["verdict"] for one in choose(VECTORS, ["values"])}
        right = {id for id in ids(done, "weak") | ids(done, "pass") if verdicts[id] != "implementation-defined"}
        assert {verdicts[id] for id in right} <= {verdict}
        assert ids(done, "fail")


def test_a_second_process_that_does_not_start_is_told(broken: Broken) -> None:
    done = ran(broken, "die_always_once", jobs=2)
    assert statuses(done) == {"crashed": done.total}
    assert done.status == 1


def test_no_testee_no_run(broken: Broken) -> None:
    for mode in ("banner", "ends_at_once", "protocol_2"):
        with pytest.raises(BadTestee):
            ran(broken, mode)
    with pytest.raises(BadTestee):
        run(["/nowhere/at/all"], areas=["names"])
    with pytest.raises(VectorError):
        ran(broken, "normal", cases=["values-x"])


def test_selections(broken: Broken) -> None:
    flagged = choose(VECTORS, ["values", "names"], flags=["wide-integer", "nul"])
    assert all({"wide-integer", "nul"} & set(one.case["flags"]) for one in flagged)
    assert {one.area for one in flagged} == {"values", "names"}
    assert [one.case["id"] for one in choose(VECTORS, cases=["values-0001"])] == ["values-0001"]
    assert {one.group for one in choose(VECTORS, cases=["values/float*"])} == {"floats"}


def test_an_interrupted_run_says_what_it_knows(broken: Broken) -> None:
    """By a signal to the process, as Ctrl-C is; the testee hangs by then."""
    timer = threading.Timer(2.0, signal.raise_signal, [signal.SIGINT])
    timer.start()
    done = ran(broken, "hang", timeout=60.0)
    timer.join()
    assert done.interrupted
    assert done.status == 1
    assert statuses(done).keys() == {"pass"}
    assert 0 < len(done.results) < done.total


def test_progress_is_told(broken: Broken) -> None:
    seen: list[tuple[int, int]] = []
    done = ran(broken, "normal", progress=lambda count, total, _: seen.append((count, total)))
    assert seen
    assert all(0 <= count <= total == done.total for count, total in seen)


# Checks -----------------------------------------------------------------------------------------------------


def changed(change: Callable[[str, dict[str, Any]], None]) -> Ask:
    """This library's answers, with a change."""
    right = in_process()

    def ask(op: str, fields: Any) -> Reply:
        reply = dict(right(op, fields))
        change(op, reply)
        return reply

    return ask


def status_with(change: Callable[[str, dict[str, Any]], None], area: str, case: dict[str, Any]) -> str:
    return judge(area, case, VECTORS, changed(change)).status


def case_of(area: str, verdict: str = "accept", **having: Any) -> dict[str, Any]:
    return next(one.case for one in choose(VECTORS, [area]) if one.case.get("verdict", "accept") == verdict
                and all(name in one.case for name in having))  # fmt: skip


@pytest.mark.parametrize(
    ("area", "verdict", "field", "status"),
    [
        ("values", "accept", "bytes", "fail"), ("values", "accept", "json", "fail"), ("values", "reject", "error", "weak"),
        ("values", "reject", "offset", "weak"), ("values", "reject", "message", "pass"), ("types", "accept", "bytes", "fail"),
        ("names", "accept", "identifier", "fail"), ("names", "accept", "snake", "fail"),
        ("definitions", "accept", "bytes", "fail"), ("definitions", "accept", "json", "fail"),
        ("conversion", "accept", "bytes", "fail"),
        ("definitions", "reject", "error", "weak"), ("validation", "reject", "errors", "weak"),
        ("validation", "accept", "valid", "fail"), ("validation", "reject", "valid", "fail"),
    ],
)  # fmt: skip
def test_what_is_required_and_what_recommended(area: str, verdict: str, field: str, status: str) -> None:
    having = {name: 1 for name in ("json", "errors", "offset") if name == field}
    case = case_of(area, verdict, **having)
    assert status_with(lambda op, reply: None, area, case) == "pass"
    assert status_with(lambda op, reply: reply.update({field: "another"}), area, case) == status
    assert status_with(lambda op, reply: reply.pop(field, None), area, case) == status


def test_the_kind_of_a_name_that_is_none_is_recommended() -> None:
    case = next(one.case for one in choose(VECTORS, ["names"]) if one.case["identifier"] != "valid")
    assert status_with(lambda op, reply: reply.update(identifier="Another"), "names", case) == "weak"
    assert status_with(lambda op, reply: reply.update(identifier="valid"), "names", case) == "fail"


def test_an_implementation_defined_verdict_has_more_than_one_right_answer() -> None:
    case = case_of("values", "implementation-defined")
    lax = next(choice for choice in case["choices"] if choice["verdict"] == "accept")
    data = lax.get("reencoded", case["bytes"][: len(case["bytes"]) - lax.get("unread", 0)])

    def accept(op: str, fields: Any) -> Reply:
        return {"ok": True, "bytes": data.hex(), "json": lax.get("json")}

    assert judge("values", case, VECTORS, in_process()).status == "pass"
    assert judge("values", case, VECTORS, accept).status == "pass"
    found = judge("values", case, VECTORS, lambda op, fields: {"ok": True, "bytes": "aa"})
    assert found.status == "fail"
    assert len(found.differences) == len(case["choices"])
    other = judge("values", case, VECTORS, lambda op, fields: {"ok": False, "error": "Strange", "message": ""})
    assert other.status == "weak"
    assert {one.level for one in other.differences} == {RECOMMENDED}


def test_crashed_and_skipped_in_a_part() -> None:
    case = case_of("values", json=1)

    def skips_decode(op: str, fields: Any) -> Reply:
        if op == "value.decode":
            raise Skipped("no reader")
        return in_process()(op, fields)

    def crashes_encode(op: str, fields: Any) -> Reply:
        if op == "value.encode":
            raise Crashed("died", "boom")
        return in_process()(op, fields)

    half = judge("values", case, VECTORS, skips_decode)
    assert (half.status, half.left_out) == ("pass", ("value.decode",))
    crashed = judge("values", case, VECTORS, crashes_encode)
    assert (crashed.status, crashed.detail) == ("crashed", "died: boom")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1", "1.0", True), ("1.0", "1", True), ("0.1", "0.10000000149011612", True), ("1e+21", "1000000000000000000000", True),
        ("5.9029581035870565e+20", "590295810358705700000", True), ("-0.0", "0", True), ("0.5", "0.75", False),
        ("18446744073709551615", "18446744073709552000", False), ("18446744073709551615", "1.8446744073709552e19", False),
        ('{"a":1,"b":2}', '{"b":2,"a":1}', True), ('{"a":1}', '{"a":1,"b":2}', False), ("[1,2]", "[2,1]", False),
        ("[]", "{}", False), ("1", "true", False), ("false", "0", False), ('"1"', "1", False), ("null", "0", False),
        ("1.0", "NaN", False), ("1", "[" * 100_000, False), ("1", "9" * 10_000, False), ("1e308", "1e309", False),
        ("1.0", '"1.0"', False), ("1", "", False), ('"\\u00e9"', '"é"', True),
    ],
)  # fmt: skip
def test_json_is_compared_by_what_it_says(one: str, other: str, same: bool) -> None:
    assert same_json(one, other) is same


# Expected failures ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dies() -> dict[str, Run]:
    """The run of a testee that dies of some cases, once it has been made."""
    return {}


@pytest.fixture
def listed(broken: Broken, dies: dict[str, Run]) -> Callable[[str], Run]:
    """That run with a list."""

    def make(text: str) -> Run:
        if not dies:
            dies["run"] = ran(broken, "die")
        known = Expected.parse(text)
        cases = ((one.case["id"], f"{one.area}/{one.group}") for one in choose(VECTORS))
        return replace(dies["run"], expected=known, unmatched=known.unmatched(cases))

    return make


def test_a_run_looks_for_lines_that_match_nothing_among_all_cases(broken: Broken) -> None:
    done = ran(broken, "normal", expected=Expected.parse("names-0001 # not asked\nnames-999999 # gone\n"))
    assert [line.pattern for line in done.unmatched] == ["names-999999"]
    assert (done.status, done.failures) == (1, [])


def test_a_list_that_is_true_makes_the_run_pass(listed: Callable[[str], Run]) -> None:
    text = "".join(f"{id} crashed # it dies of it\n" for id in MARKED)
    done = listed(text)
    assert (done.status, len(done.known)) == (0, len(MARKED))
    assert updated(done) == text


@pytest.mark.parametrize(
    ("text", "failing", "unmatched"),
    [
        ("values-0022 weak # wrong\n", len(MARKED) + 1, 0),
        ("values-002* weak # words\n", None, 0),
        ("values-0024 fail # it crashes\n", len(MARKED), 0),
        ("values-0024 weak # it crashes\nvalues-0026 crashed # it does\n", len(MARKED) - 1, 0),
        ("nothing-* fail # gone\n", len(MARKED), 1),
        ("values-99999 fail # gone\n", len(MARKED), 1),
        ("names-* fail # was not asked now\n", len(MARKED), 0),
        ("values/errors/* crashed # too many\nvalues-002* crashed # too many\n", None, 0),
    ],
)
def test_a_list_that_is_not_true_does_not(listed: Callable[[str], Run], text: str, failing: int | None, unmatched: int) -> None:
    done = listed(text)
    assert done.status == 1
    assert len(done.unmatched) == unmatched
    if failing is not None:
        assert len(done.failures) == failing
    assert all("of the list says" in why for result, why in done.failures if result.status == "pass")


def test_what_varies_may_pass_and_may_not_crash(broken: Broken) -> None:
    known = Expected.parse("values-* varies # now so, now so\n")
    right, wrong, dead = (ran(broken, mode, expected=known) for mode in ("normal", "refuse_all", "die"))
    assert (right.status, right.known) == (0, [])
    assert wrong.status == 0
    assert {result.status for result, _ in wrong.known} >= {"fail"}
    assert {failure.result.status for failure in dead.failures} == {"crashed"}


def test_the_line_that_names_the_case_counts() -> None:
    known = Expected.parse("values-* fail # a\nvalues/x/* crashed # b\nvalues-1 weak # c\n")
    found = [line.reason if (line := known.of(id, "values/x")) else None for id in ("values-1", "values-2", "names-1")]
    assert found == ["c", "b", "b"]
    assert known.of("values-2", "values/y") == known.lines[0]
    assert known.of("names-2", "names/y") is None
    assert [line.pattern for line in known.unmatched([("values-2", "values/y")])] == ["values/x/*", "values-1"]


WRONG_LISTS = [
    "a-1", "a-1 fail", "a-1 fail #", "a-1 fail # TODO", "a-1 fail # todo: why", "a-1 fail #   ", "a-1 odd # why",
    "a-1 fail weak # why", "a # b\na # c", "a-1 fail # TODO json: expected",
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG_LISTS)
def test_a_list_without_reasons_is_refused(text: str) -> None:
    with pytest.raises(BadList, match=r"known\.txt:"):
        Expected.parse(text, "known.txt")


def test_lists_that_are_files(tmp_path: Path) -> None:
    path = tmp_path / "known.txt"
    path.write_bytes(b"\xef\xbb\xbf# a comment\n\nvalues-1\t weak#why # not\r\n")
    (line,) = Expected.read(path).lines
    assert (line.pattern, line.status, line.reason, line.number) == ("values-1", "weak", "why # not", 3)
    path.write_bytes(b"\xff\n")
    with pytest.raises(BadList, match="UTF-8"):
        Expected.read(path)
    with pytest.raises(OSError, match="none"):
        Expected.read(tmp_path / "none.txt")


def test_the_updated_list_is_refused_until_somebody_gives_reasons(listed: Callable[[str], Run]) -> None:
    done = listed("# ours\nvalues-0027 weak # mended by now\nvalues-999999 # gone\n")
    text = updated(done)
    assert "# ours" in text
    assert "values-0027 weak" not in text
    assert "values-999999" not in text
    assert all(f"{id} crashed  # TODO " in text for id in MARKED)
    with pytest.raises(BadList):
        Expected.parse(text)
    assert listed(text.replace("TODO", "It is so:")).status == 0


def test_the_updated_list_speaks_of_whole_groups(broken: Broken) -> None:
    done = ran(broken, "skip_all", cases=())
    assert updated(done).count("\n") == 1
    wrong = run(broken("refuse_all"), areas=["names"])
    text = updated(wrong)
    assert "names/cases/* fail  # TODO " in text
    some = run(broken("refuse_all"), areas=["names"], cases=["names-000*"], expected=Expected.parse("names-* fail # all\n"))
    assert updated(some) == "names-* fail # all\n"
    half = run(broken("normal"), areas=["names"], cases=["names-000*"], expected=Expected.parse("names-* fail # all\n"))
    assert "names" not in updated(half)


def test_strict_runs_fail_for_what_is_recommended(broken: Broken) -> None:
    cases = ["values/errors/*"]
    lax, strict = (ran(broken, "refuse_all", cases=cases, strict=strict) for strict in (False, True))
    weak = len(ids(lax, "weak"))
    assert weak > 10
    assert len(strict.failures) == len(lax.failures) + weak
