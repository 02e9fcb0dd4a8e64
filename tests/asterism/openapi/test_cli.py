"""The command `asterism`, as people call it."""

from __future__ import annotations

import json
import os
import runpy
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import yaml

from asterism import __version__
from asterism._cli import main
from tests.asterism.openapi.support import valid

PROGRAM = '''
from asterism.api import API
from asterism.openapi import OpenAPI
from starlette.applications import Starlette
from starlette.routing import Route

api = API()

@api.get("/items/{id}")
async def show(id: int) -> int:
    """Größe."""
    return id

async def broken(request):
    """Show.
    ---
    a: b: c
    """

openapi = OpenAPI(title="Shop", version="1.0")
app = Starlette(routes=[*api.routes, *openapi.routes()])
bare = Starlette(routes=api.routes)
whole = OpenAPI(bare, title="Whole", version="2.0")
wrong = Starlette(routes=[Route("/", broken)])
number = 3

class Settings:
    app = app

def create():
    return bare

def fail():
    raise RuntimeError("no database")
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with programs, which are forgotten afterwards."""
    (tmp_path / "shop_program.py").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "raising_program.py").write_text("def first():\n    raise KeyError('x')\nfirst()\n")
    (tmp_path / "lacking_program.py").write_text("import no_such_library\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        if name.endswith("_program"):
            del sys.modules[name]


def ran(capsysbinary: pytest.CaptureFixture[bytes], *arguments: str) -> tuple[int, str, str]:
    """Return the exit status, the output and the errors of a command."""
    status = main(arguments)
    output = capsysbinary.readouterr()
    return status, output.out.decode(), output.err.decode()


def test_the_document_is_printed(folder: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    status, out, err = ran(capsysbinary, "openapi", "shop_program:app")
    assert (status, err) == (0, "")
    document = valid(json.loads(out))
    assert (document["info"]["title"], list(document["paths"])) == ("Shop", ["/items/{id}"])
    assert "Größe." in out
    assert out.endswith("}\n")


@pytest.mark.parametrize(
    ("arguments", "title", "version"),
    [
        pytest.param(["shop_program:app"], "Shop", "1.0", id="an-application-with-a-document"),
        pytest.param(["shop_program:Settings.app"], "Shop", "1.0", id="dots"),
        pytest.param(["shop_program:bare"], "API", "0.1.0", id="without"),
        pytest.param(["shop_program:bare", "--title", "T", "--api-version", "9"], "T", "9", id="named"),
        pytest.param(["shop_program:create", "--factory"], "API", "0.1.0", id="a-factory"),
        pytest.param(["shop_program:whole"], "Whole", "2.0", id="a-description"),
        pytest.param(["shop_program:api.routes"], "API", "0.1.0", id="routes"),
    ],
)
def test_what_can_be_described(
    folder: Path, capsysbinary: pytest.CaptureFixture[bytes], arguments: list[str], title: str, version: str
) -> None:
    status, out, _ = ran(capsysbinary, "openapi", *arguments)
    assert status == 0
    assert (json.loads(out)["info"], list(json.loads(out)["paths"])) == (
        {"title": title, "version": version},
        ["/items/{id}"],
    )


def test_formats(folder: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    _, out, _ = ran(capsysbinary, "openapi", "shop_program:app")
    _, text, _ = ran(capsysbinary, "openapi", "shop_program:app", "--format", "yaml", "-o", "-")
    assert yaml.safe_load(text) == json.loads(out)
    assert text.startswith("openapi: 3.1.1\ninfo:\n")
    for name, content in (("a.json", out), ("a.yaml", text), ("a.YML", text)):
        assert ran(capsysbinary, "openapi", "shop_program:app", "--output", name) == (0, "", "")
        assert (folder / name).read_text(encoding="utf-8") == content
    assert ran(capsysbinary, "openapi", "shop_program:app", "--output", "b.yaml", "--format", "json")[0] == 0
    assert (folder / "b.yaml").read_text(encoding="utf-8") == out


def test_a_file_is_compared(folder: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    arguments = ("openapi", "shop_program:app", "--output", "a.json")
    assert ran(capsysbinary, *arguments)[0] == 0
    assert ran(capsysbinary, *arguments, "--check") == (0, "", "")
    (folder / "a.json").write_text("{}")
    status, out, err = ran(capsysbinary, *arguments, "--check")
    assert (status, out) == (1, "")
    assert err == "asterism: a.json is not the document of the application any more: write it anew, without --check\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "'nothing' does not name an application: write MODULE:APP, such as main:app"),
        ([":app"], "':app' does not name an application: write MODULE:APP, such as main:app"),
        (["main:"], "'main:' does not name an application: write MODULE:APP, such as main:app"),
        (["no_such_program:app"], "there is no module 'no_such_program' in {folder}; --app-dir names another place"),
        (["shop_program.x:app"], "there is no module 'shop_program.x' in {folder}; --app-dir names another place"),
        (["shop_program:ap"], "shop_program has no 'ap'; did you mean 'app'?"),
        (["shop_program:qqq"], "shop_program has no 'qqq'\n"),
        (["shop_program:create"], "shop_program:create is a function; if it returns the application, add --factory"),
        (["shop_program:app", "--app-dir", "nowhere"], "--app-dir nowhere is not a directory"),
        (["shop_program:number"], "shop_program:number cannot be described: an application with routes, or a list"),
        (["shop_program:openapi"], "shop_program:openapi cannot be described: an application with routes"),
        (["shop_program:wrong"], "shop_program:wrong cannot be described: the YAML in the docstring of shop_program."),
        (["shop_program:number", "--factory"], "shop_program:number is no function; leave --factory away"),
        (["shop_program:fail", "--factory"], "shop_program:fail() failed: RuntimeError: no database"),
        (["shop_program:app", "--output", "no/a.json"], "no/a.json cannot be written: No such file or directory"),
        (["shop_program:app", "--output", "a.json", "--check"], "a.json cannot be read: No such file or directory"),
        (["shop_program:app", "--check"], "--check needs --output FILE, the file to compare with"),
        (["shop_program:app", "--check", "-o", "-"], "--check needs --output FILE, the file to compare with"),
    ],
)
def test_mistakes(folder: Path, capsysbinary: pytest.CaptureFixture[bytes], arguments: list[str], message: str) -> None:
    status, out, err = ran(capsysbinary, "openapi", *arguments)
    assert (status, out) == (1, "")
    assert f"asterism: {message.format(folder=folder.resolve())}" in err


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("raising_program", "asterism: importing raising_program failed: KeyError: 'x'\n"),
        (
            "lacking_program",
            "asterism: importing lacking_program failed: ModuleNotFoundError: No module named 'no_such_library'\n",
        ),
    ],
)
def test_errors_of_the_program_come_with_its_traceback(
    folder: Path, capsysbinary: pytest.CaptureFixture[bytes], program: str, message: str
) -> None:
    status, _, err = ran(capsysbinary, "openapi", f"{program}:app")
    assert status == 1
    assert err.endswith(message)
    trace = err.removesuffix(message)
    assert trace.startswith(f'Traceback (most recent call last):\n  File "{folder.resolve()}/{program}.py", line ')
    assert "asterism" not in trace


def test_yaml_without_pyyaml(
    folder: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    status, _, err = ran(capsysbinary, "openapi", "shop_program:bare", "--format", "yaml")
    assert (status, err) == (
        1,
        'asterism: YAML needs pyyaml: install the "full" extra, pip install "starlette[full]"\n',
    )


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["openapi"], ["openapi", "a:b", "--format", "toml"]])
def test_wrong_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: asterism")


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["openapi", "--help"], ["docs-files", "--help"], ["--version"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
    assert capsys.readouterr().out.endswith(f"asterism {__version__}\n")


def test_it_is_a_module_and_a_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["asterism", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("asterism", run_name="__main__")
    assert ended.value.code == 0
    # Importing the module runs nothing.
    assert runpy.run_module("asterism", run_name="other")["main"] is main


def test_the_entry_point_leads_here() -> None:
    found = [point for point in entry_points(group="console_scripts") if point.name == "asterism"]
    if not found:
        pytest.skip("the package was installed before it had this command")
    assert found[0].load() is main


def test_a_reader_that_has_seen_enough_is_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert main(["openapi", "shop_program:app"]) == 0
