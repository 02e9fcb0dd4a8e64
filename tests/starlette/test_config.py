"""Settings: the protected environment, the `.env` file, lookup and casts."""

from __future__ import annotations

import functools
import os
import string
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, assert_type

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette.config import Config, Environ, EnvironError, environ, undefined
from starlette.datastructures import URL, CommaSeparatedStrings, Secret

WRITING = "Attempting to set environ['KEY'], but the value has already been read."
DELETING = "Attempting to delete environ['KEY'], but the value has already been read."


def written(directory: Path, text: str | bytes) -> Path:
    path = directory / ".env"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# -- Environ -----------------------------------------------------------------------------------------------------------


def test_environ_is_a_live_view_of_the_process_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    # config R1
    monkeypatch.setenv("KEY", "1")
    view = Environ()
    assert list(view) == list(os.environ)
    assert len(view) == len(os.environ)
    assert view["KEY"] == "1"
    monkeypatch.setenv("KEY", "2")
    assert view["KEY"] == "2"
    assert isinstance(environ, Environ)


READS: list[Any] = [
    pytest.param(lambda view: view["KEY"], id="item"),
    pytest.param(lambda view: view.get("KEY"), id="get"),
    pytest.param(lambda view: "KEY" in view, id="in"),
    pytest.param(lambda view: list(view.items()), id="items"),
    pytest.param(lambda view: list(view.values()), id="values"),
]


@pytest.mark.parametrize("read", READS)
def test_what_was_read_cannot_be_changed(read: Callable[[Environ], object]) -> None:
    # config R2, R3
    view = Environ({"KEY": "1"})
    read(view)
    with pytest.raises(EnvironError) as setting:
        view["KEY"] = "2"
    with pytest.raises(EnvironError) as deleting:
        del view["KEY"]
    assert (str(setting.value), str(deleting.value)) == (WRITING, DELETING)
    assert view["KEY"] == "1"


@pytest.mark.parametrize("list_keys", [list, len, bool, repr], ids=["keys", "len", "bool", "repr"])
def test_listing_keys_is_not_reading(list_keys: Callable[[Environ], object]) -> None:
    # config R2
    view = Environ({"KEY": "1"})
    list_keys(view)
    view["KEY"] = "2"


def test_a_missing_key_counts_as_read_when_it_is_asked_for() -> None:
    # config R2
    view = Environ({})
    with pytest.raises(KeyError):
        view["KEY"]
    with pytest.raises(EnvironError):
        view["KEY"] = "1"


def test_after_deletion_a_look_closes_the_key() -> None:
    # config R3
    view = Environ({"KEY": "1"})
    del view["KEY"]
    assert "KEY" not in view
    with pytest.raises(EnvironError):
        del view["KEY"]


def test_pop_and_setdefault_read_first() -> None:
    # config R3, D2
    with pytest.raises(EnvironError):
        Environ({"KEY": "1"}).pop("KEY")
    with pytest.raises(EnvironError):
        Environ({}).setdefault("KEY", "1")
    assert Environ({}).pop("KEY", "none") == "none"
    assert Environ({"KEY": "1"}).setdefault("KEY", "2") == "1"


def test_unread_keys_are_free() -> None:
    # config R4
    values = {"OTHER": "1"}
    view = Environ(values)
    view["KEY"] = "1"
    view["KEY"] = "2"
    del view["KEY"]
    view["KEY"] = "3"
    assert values == {"OTHER": "1", "KEY": "3"}
    with pytest.raises(KeyError):
        del view["ABSENT"]


def test_marks_belong_to_the_view() -> None:
    # config R5
    values = {"KEY": "1"}
    assert Environ(values)["KEY"] == "1"
    Environ(values)["KEY"] = "2"
    assert values == {"KEY": "2"}
    assert EnvironError.__mro__[1] is Exception


# -- the file ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "values"),
    [
        pytest.param("A=1", {"A": "1"}, id="plain"),
        pytest.param(" B = two words ", {"B": "two words"}, id="blanks-around"),
        pytest.param("\tB\t=\t1\t", {"B": "1"}, id="tabs-around"),
        pytest.param("I=a=b", {"I": "a=b"}, id="first-equals-sign-splits"),
        pytest.param("K=x # t", {"K": "x # t"}, id="no-comment-after-a-value"),
        pytest.param("# C=1", {}, id="comment"),
        pytest.param("   # C=1", {}, id="indented-comment"),
        pytest.param("word", {}, id="no-equals-sign"),
        pytest.param("", {}, id="empty"),
        pytest.param('D="q"', {"D": "q"}, id="double-quotes"),
        pytest.param("D='q'", {"D": "q"}, id="single-quotes"),
        pytest.param("F=\"q'", {"F": "\"q'"}, id="unequal-quotes"),
        pytest.param("H='", {"H": "'"}, id="lone-quote"),
        pytest.param('G=""', {"G": ""}, id="empty-quotes"),
        pytest.param('M="  sp  "', {"M": "  sp  "}, id="blanks-inside-of-quotes"),
        pytest.param('N=""x""', {"N": '"x"'}, id="one-pair-only"),
        pytest.param("S='say \"hi\"'", {"S": 'say "hi"'}, id="other-quotes-inside"),
        pytest.param('D="it\'s"', {"D": "it's"}, id="apostrophe-inside"),
        pytest.param('T="secret\'"', {"T": "secret'"}, id="apostrophe-at-the-end"),
        pytest.param("export C=3", {"export C": "3"}, id="export-is-part-of-the-key"),
        pytest.param("=v", {"": "v"}, id="empty-key"),
        pytest.param("L=", {"L": ""}, id="empty-value"),
        pytest.param("E=a\\nb", {"E": "a\\nb"}, id="no-escapes"),
        pytest.param("V=$HOME ${HOME}", {"V": "$HOME ${HOME}"}, id="no-interpolation"),
        pytest.param("A=1\nA=2", {"A": "2"}, id="later-wins"),
        pytest.param("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}, id="crlf"),
        pytest.param("A=1\rB=2", {"A": "1", "B": "2"}, id="cr"),
        pytest.param("A=1\x0cx\u2028y", {"A": "1\x0cx\u2028y"}, id="other-separators-are-part-of-a-value"),
        pytest.param("\ufeffA=1\nB=\ufeff", {"A": "1", "B": "\ufeff"}, id="D4-byte-order-mark"),
    ],
)
def test_lines_of_a_file(tmp_path: Path, line: str, values: dict[str, str]) -> None:
    # config R7, R8
    assert Config(written(tmp_path, line)).file_values == values


@pytest.mark.parametrize("as_type", [str, Path])
@pytest.mark.parametrize("name", ["absent", "folder", ""])
def test_a_file_that_is_not_there_is_a_warning(tmp_path: Path, name: str, as_type: Callable[[str], Any]) -> None:
    # config R6, D6
    (tmp_path / "folder").mkdir()
    path = as_type(str(tmp_path / name) if name else "")
    with pytest.warns(UserWarning, match="not found") as caught:
        config = Config(path)
    (warning,) = caught
    assert (warning.category, str(warning.message)) == (UserWarning, f"Config file '{path}' not found.")
    assert warning.filename == __file__
    assert config.file_values == {}


def test_without_a_file_there_is_no_warning() -> None:
    # config R6, R7
    values = {"KEY": "1"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        config = Config(environ=values, env_prefix="P_")
    assert config.environ is values
    assert (config.env_prefix, config.file_values) == ("P_", {})


def test_the_encoding_does_not_follow_the_locale(tmp_path: Path) -> None:
    # config R9, T27
    path = written(tmp_path, "KEY=é")
    code = f"from starlette.config import Config; print(ascii(Config({str(path)!r})('KEY')))"
    env = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run([sys.executable, "-O", "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "'\\xe9'\n"


@pytest.mark.parametrize(
    ("octets", "encoding"), [("KEY=é\n".encode("latin-1"), "latin-1"), ("KEY=é\n".encode("utf-16"), "utf-16")]
)
def test_the_encoding_can_be_chosen(tmp_path: Path, octets: bytes, encoding: str) -> None:
    # config R9
    assert Config(written(tmp_path, octets), encoding=encoding)("KEY") == "é"


@pytest.mark.parametrize(
    ("octets", "place"),
    [
        pytest.param(b"A=1\r\nNAME = caf\xe9\n", "line 2, key 'NAME'", id="in-a-value"),
        pytest.param(b"A=1\n\n# caf\xe9", "line 3", id="in-a-comment"),
        pytest.param(b"\xe9=1", "line 1", id="in-a-key"),
    ],
)
def test_octets_that_are_not_in_the_encoding_are_located(tmp_path: Path, octets: bytes, place: str) -> None:
    # config R9
    path = written(tmp_path, octets)
    with pytest.raises(UnicodeDecodeError) as caught:
        Config(path)
    assert caught.value.__notes__ == [f"in '{path}', {place}: it is not in the encoding 'utf-8'"]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80) | st.text(alphabet="A= #'\"\r\n\té\u2028", max_size=40).map(str.encode))
def test_any_file_is_read_or_refused_for_its_encoding(octets: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = written(Path(directory), octets)
        try:
            values = Config(path).file_values
        except UnicodeDecodeError:
            with pytest.raises(UnicodeDecodeError):
                octets.decode()
        else:
            assert all(key == key.strip() and "=" not in key and not key.startswith("#") for key in values)


KEYS = st.text(alphabet=string.ascii_letters + "_0123456789", min_size=1)
VALUES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(KEYS, VALUES), st.sampled_from(["'", '"']), st.sampled_from(["\n", "\r\n", "\r"]))
def test_what_is_written_in_quotes_is_read_back(values: dict[str, str], quote: str, newline: str) -> None:
    text = newline.join(f"{key}={quote}{value}{quote}" for key, value in values.items())
    with tempfile.TemporaryDirectory() as directory:
        assert Config(written(Path(directory), text)).file_values == values


# -- lookup ------------------------------------------------------------------------------------------------------------


def test_the_environment_comes_before_the_file_and_the_file_before_the_default(tmp_path: Path) -> None:
    # config R10, R11
    path = written(tmp_path, "A=file\nB=file\nEMPTY=file")
    values = {"A": "environment", "EMPTY": ""}
    config = Config(path, environ=values)
    assert [config(key, default="default") for key in ("A", "B", "C", "EMPTY")] == [
        "environment",
        "file",
        "default",
        "",
    ]
    assert config.get("C", None, "positional") == config("C", None, "positional") == "positional"
    values["C"] = "later"
    assert config("C") == "later"


def test_a_prefix_applies_everywhere(tmp_path: Path) -> None:
    # config R11, R12, R13
    config = Config(written(tmp_path, "P_B=file\nX=file"), environ={"P_A": "environment"}, env_prefix="P_")
    assert (config("A"), config("B")) == ("environment", "file")
    with pytest.raises(KeyError) as caught:
        config("X")
    assert str(caught.value) == "\"Config 'P_X' is missing, and has no default.\""


def test_a_missing_setting_says_where_it_was_looked_for(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    with pytest.raises(KeyError) as caught:
        Config(path, environ={})("X")
    assert caught.value.__notes__ == [f"looked for in the environment and '{path}'"]
    with pytest.raises(KeyError) as caught:
        Config(environ={})("X", cast=int, default=undefined)
    assert caught.value.__notes__ == ["looked for in the environment"]


def test_reading_a_setting_closes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # config R17
    assert Config()("STARLETTE_TEST_SETTING", default=None) is None
    with pytest.raises(EnvironError):
        environ["STARLETTE_TEST_SETTING"] = "1"


def test_any_mapping_can_be_the_environment() -> None:
    # config R18
    values = {"KEY": "1"}
    assert Config(environ=values)("KEY") == "1"
    values["KEY"] = "2"
    assert Config(environ=values)("KEY") == "2"


# -- casts -------------------------------------------------------------------------------------------------------------


def half(value: Any) -> int:
    raise LookupError("not for you")


@pytest.mark.parametrize(
    ("text", "cast", "default", "expected"),
    [
        pytest.param(None, int, "7", 7, id="R14-default-is-cast"),
        pytest.param(None, int, True, 1, id="R14-default-of-another-type"),
        pytest.param(None, int, None, None, id="R14-none-is-not"),
        pytest.param("3", int, None, 3, id="R16-int"),
        pytest.param(" 3", str, None, " 3", id="R16-str"),
        pytest.param("a, b", lambda text: list(CommaSeparatedStrings(text)), "", ["a", "b"], id="R16-list"),
        pytest.param("http://x/y", URL, None, URL("http://x/y"), id="R16-url"),
        pytest.param(None, bool, 0, False, id="R15-number"),
        pytest.param(None, bool, "false", False, id="R15-text-default"),
        pytest.param(None, bool, [0], True, id="R15-anything-by-truth"),
        *(pytest.param(text, bool, None, True, id=f"R15-{text}") for text in ("true", "True", "TRUE", "1")),
        *(pytest.param(text, bool, None, False, id=f"R15-{text}") for text in ("false", "False", "FALSE", "0")),
    ],
)
def test_casts(text: str | None, cast: Any, default: Any, expected: Any) -> None:
    config = Config(environ={} if text is None else {"X": text})
    assert config("X", cast=cast, default=default) == expected


def test_secrets_are_masked() -> None:
    # config R14, T19
    config = Config(environ={"KEY": "hunter2"})
    secret = config("KEY", cast=Secret)
    assert "hunter2" not in repr(secret)
    assert str(secret) == "hunter2"
    assert not config("ABSENT", cast=Secret, default="")


class Refusing:
    """An object that casts, and has no name."""

    def __call__(self, value: str) -> int:
        raise TypeError

    def __repr__(self) -> str:
        return "Refusing()"


@pytest.mark.parametrize(
    ("text", "cast", "message"),
    [
        pytest.param("x", int, "Config 'X' has value 'x'. Not a valid int.", id="R16-int"),
        pytest.param("x", lambda text: int(text), "Config 'X' has value 'x'. Not a valid <lambda>.", id="R16-lambda"),
        pytest.param("yes", bool, "Config 'X' has value 'yes'. Not a valid bool.", id="R15-yes"),
        pytest.param("YES", bool, "Config 'X' has value 'yes'. Not a valid bool.", id="R15-lower-cased"),
        pytest.param("", bool, "Config 'X' has value ''. Not a valid bool.", id="R15-empty"),
        pytest.param(" true", bool, "Config 'X' has value ' true'. Not a valid bool.", id="R15-blank"),
        pytest.param("x", Refusing(), "Config 'X' has value 'x'. Not a valid Refusing().", id="D1-instance"),
        pytest.param(
            "2",
            functools.partial(int, base=2),
            "Config 'X' has value '2'. Not a valid functools.partial(<class 'int'>, base=2).",
            id="D1-partial",
        ),
    ],
)
def test_a_refused_value_names_the_setting_and_the_cast(text: str, cast: Any, message: str) -> None:
    with pytest.raises(ValueError, match="Config") as caught:
        Config(environ={"X": text})("X", cast=cast)
    assert str(caught.value) == message
    assert isinstance(caught.value.__context__, (TypeError, ValueError))


def test_a_refused_value_names_its_source(tmp_path: Path) -> None:
    path = written(tmp_path, "# numbers\n\nB=two")
    config = Config(path, environ={"A": "one"})
    config.file_values["C"] = "three"
    notes = {"A": "the environment", "B": f"'{path}', line 3, key 'B'", "C": "file_values", "D": "the default"}
    for key, source in notes.items():
        with pytest.raises(ValueError, match=f"Config '{key}'") as caught:
            config(key, cast=int, default="four")
        assert caught.value.__notes__ == [f"the value is from {source}"]


def test_other_exceptions_of_a_cast_pass() -> None:
    # config R16
    with pytest.raises(LookupError, match="not for you"):
        Config(environ={"X": "1"})("X", cast=half)


def test_types_follow_cast_and_default() -> None:
    # config R19: these lines are checked by the type checkers as well
    config = Config(environ={"KEY": "1"})
    assert_type(config("KEY"), str)
    assert_type(config("KEY", default=None), str | None)
    assert_type(config("KEY", default="x"), str)
    assert_type(config("KEY", cast=bool), bool)
    assert_type(config("KEY", cast=bool, default=None), bool | None)
    assert_type(config("KEY", bool, False), bool)
    assert_type(config("KEY", cast=str, default=""), str)
    assert_type(config("KEY", cast=Secret, default=""), Secret)
    assert_type(config.get("KEY", cast=int), int)
    assert_type(config.get("KEY", default=None), str | None)
    assert_type(config.get("KEY", cast=int, default=None), int | None)
