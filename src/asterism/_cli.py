"""The command `asterism`: what it takes, and how its errors look.

asterism openapi module:app            print the OpenAPI document of an application
asterism docs-files folder             fetch the files of its page, to serve them oneself
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from asterism import __version__
from asterism._loading import LoadingError, load

# Exit statuses: wrong arguments end with 2, as argparse has it.
_FAILED: Final = 1


class CommandError(Exception):
    """Something that whoever typed the command can put right; the message says how."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Args:
        arguments: Those of the command line unless given.
    """
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except (CommandError, LoadingError) as exc:
        if isinstance(exc, LoadingError) and exc.trace:
            sys.stderr.write(exc.trace)
        sys.stderr.write(f"asterism: {exc}\n")
        return _FAILED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="asterism", description="Commands for applications of Asterism.")
    parser.add_argument("--version", action="version", version=f"asterism {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_openapi(commands)
    _add_docs_files(commands)
    return parser


def _add_openapi(commands: Any) -> None:
    text = "print the OpenAPI document of an application"
    parser = commands.add_parser("openapi", help=text, description=f"{text[:1].upper()}{text[1:]}.")
    parser.add_argument("app", metavar="MODULE:APP", help="the application, such as main:app")
    parser.add_argument("--app-dir", default=".", metavar="DIR", help="where modules are looked for first (.)")
    parser.add_argument("--factory", action="store_true", help="APP is a function that returns the application")
    parser.add_argument("--format", choices=["json", "yaml"], help="json, unless --output ends in .yaml or .yml")
    parser.add_argument("--output", "-o", metavar="FILE", help="write to this file; - is the terminal")
    parser.add_argument("--check", action="store_true", help="write nothing: fail if --output differs")
    parser.add_argument("--title", default="API", help="for applications without OpenAPI() of their own")
    parser.add_argument("--api-version", default="0.1.0", metavar="VERSION", help="likewise")
    parser.set_defaults(run=_openapi)


def _add_docs_files(commands: Any) -> None:
    text = "fetch the files of a documentation page, to serve them oneself"
    parser = commands.add_parser("docs-files", help=text, description=f"{text[:1].upper()}{text[1:]}.")
    parser.add_argument("folder", metavar="FOLDER", help="where to put them; it is made if it is not there")
    parser.add_argument("--ui", choices=["swagger", "scalar"], default="swagger", help="which page (swagger)")
    parser.add_argument("--mirror", metavar="URL", help="a copy of https://unpkg.com to fetch them from")
    parser.set_defaults(run=_docs_files)


def _openapi(options: Any) -> int:
    target = None if options.output in (None, "-") else Path(options.output)
    if options.check and target is None:
        raise CommandError("--check needs --output FILE, the file to compare with")
    app = load(options.app, Path(options.app_dir), factory=options.factory)
    document = _document(app, options)
    suffix = "" if target is None else target.suffix.lower()
    kind = options.format or ("yaml" if suffix in {".yaml", ".yml"} else "json")
    content = (_yaml(document) if kind == "yaml" else _json(document)).encode()
    if target is None:
        _print(content)
    elif options.check:
        return _check(target, content)
    else:
        _write(target, content)
    return 0


def _document(app: Any, options: Any) -> dict[str, Any]:
    """Return the document of what was loaded: an application, a list of routes, or an `OpenAPI`."""
    try:
        from asterism.openapi._openapi import OpenAPI, openapi_of

        own = app if isinstance(app, OpenAPI) else openapi_of(app)
        described = own or OpenAPI(title=options.title, version=options.api_version)
        text = described.json(None if own is app else app)
    except (TypeError, ValueError, ImportError) as exc:
        raise CommandError(f"{options.app} cannot be described: {exc}") from exc
    return json.loads(text)  # type: ignore[no-any-return]  # an object


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _yaml(document: dict[str, Any]) -> str:
    try:
        import yaml
    except ImportError:
        raise CommandError('YAML needs pyyaml: install the "full" extra, pip install "starlette[full]"') from None
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


def _print(content: bytes) -> None:
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Whoever reads has seen enough; Python must not try again when it ends.
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _write(target: Path, content: bytes) -> None:
    try:
        target.write_bytes(content)
    except OSError as exc:
        raise CommandError(f"{target} cannot be written: {exc.strerror}") from exc


def _check(target: Path, content: bytes) -> int:
    try:
        same = target.read_bytes() == content
    except OSError as exc:
        raise CommandError(f"{target} cannot be read: {exc.strerror}") from exc
    if not same:
        raise CommandError(f"{target} is not the document of the application any more: write it anew, without --check")
    return 0


def _docs_files(options: Any) -> int:
    from asterism.openapi._files import FetchError, fetch

    try:
        fetched = fetch(options.ui, Path(options.folder), options.mirror)
    except FetchError as exc:
        raise CommandError(str(exc)) from exc
    sys.stdout.write("".join(f"{path}\n" for path in fetched))
    return 0
