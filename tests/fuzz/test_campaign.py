"""What the runner makes of the fuzzer's output. The fuzzer itself is not needed for these."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import __main__ as campaign
from tests.fuzz.table import TARGETS

CLEAN = """\
INFO: Instrumenting starlette
#2\tINITED cov: 70 ft: 71 corp: 1/1b exec/s: 0 rss: 41Mb
#64\tNEW    cov: 73 ft: 287 corp: 105/5607b lim: 437 exec/s: 16 rss: 41Mb L: 3/4 MS: 1 EraseBytes-
#165835\tDONE   cov: 74 ft: 287 corp: 106/5607b lim: 437 exec/s: 15075 rss: 41Mb
Done 165835 runs in 11 second(s)
stat::number_of_executed_units: 165835
stat::average_exec_per_sec:     15075
"""

BROKEN = f"""\
#2\tINITED cov: 70 ft: 71 corp: 1/1b exec/s: 0 rss: 41Mb

 === Uncaught Python exception: ===
AssertionError: does not hold: 'x'
Traceback (most recent call last):
  File "x.py", line 1, in x

==30344== ERROR: libFuzzer: fuzz target exited
artifact_prefix='x'; Test unit written to {campaign.ROOT}/.fuzz/findings/ranges/crash-a7
stat::number_of_executed_units: 12
stat::average_exec_per_sec:     3
"""


def test_figures_are_taken_from_the_end_of_a_run() -> None:
    result = campaign.read_output("ranges", 0, CLEAN)
    assert (result.executions, result.rate, result.coverage, result.corpus) == (165835, 15075, 74, 106)
    assert (result.finding, result.failed) == (None, False)
    assert result.line().split() == ["ranges", "165,835", "15,075", "74", "106", "none"]


def test_a_finding_is_shown_with_the_way_to_replay_it(capsys: pytest.CaptureFixture[str]) -> None:
    result = campaign.read_output("ranges", 77, BROKEN)
    assert result.finding == campaign.ROOT / ".fuzz/findings/ranges/crash-a7"
    assert result.line().endswith("FOUND")
    campaign.report([result])
    shown = capsys.readouterr().out
    assert "AssertionError: does not hold: 'x'\nTraceback" in shown
    assert "libFuzzer" not in shown
    assert "python -m tests.fuzz.replay ranges .fuzz/findings/ranges/crash-a7" in shown


def test_a_process_that_dies_is_shown_by_its_last_words(capsys: pytest.CaptureFixture[str]) -> None:
    result = campaign.read_output("ranges", 1, "ModuleNotFoundError: No module named 'atheris'\n")
    assert (result.failed, result.finding, result.executions) == (True, None, 0)
    assert result.line().endswith("failed")
    campaign.report([result])
    assert "No module named 'atheris'" in capsys.readouterr().out


def test_a_run_fails_when_one_target_does(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[tuple[str, int]] = []

    def fuzz(name: str, seconds: int) -> campaign.Result:
        asked.append((name, seconds))
        return campaign.read_output(name, name == "cookies", CLEAN)

    monkeypatch.setattr(campaign, "fuzz", fuzz)
    assert campaign.main(["5", "ranges", "cookies"]) == 1
    assert capsys.readouterr().out.endswith("2 targets, 331,670 executions, 1 with a finding\n")
    assert campaign.main(["ranges"]) == 0
    assert asked == [("ranges", 5), ("cookies", 5), ("ranges", campaign.DEFAULT_SECONDS)]
    assert campaign.main([]) == 1
    assert [name for name, _ in asked[3:]] == list(TARGETS)


@pytest.mark.parametrize("arguments", [["nope"], ["0"], ["5", "--x"]])
def test_wrong_arguments_are_explained(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert campaign.main(arguments) == 2
    assert "usage: scripts/test --fuzz" in capsys.readouterr().err


def test_targets_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert campaign.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(TARGETS)


def test_words_are_written_for_the_fuzzer() -> None:
    assert campaign.dictionary(["a", '"\r\n', "\xff"]) == '"\\x61"\n"\\x22\\x0D\\x0A"\n"\\xFF"\n'


def test_what_is_learnt_stays_out_of_version_control() -> None:
    assert f"{campaign.WORK.name}/" in Path(campaign.ROOT, ".gitignore").read_text().split()
