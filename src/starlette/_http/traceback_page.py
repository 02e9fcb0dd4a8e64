"""What the debug page says and looks like: the parts of a traceback, and templates for them. Pure, sources aside.

It shows source lines and never a value: no `repr()` of variables is taken, as it may be secret, slow or fail.
"""

from __future__ import annotations

import inspect
import linecache
import sys
from types import FrameType, TracebackType
from typing import Final

STYLES: Final = """
:root { color-scheme: light dark; --edge: #8884; --mark: #d33; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 1.5rem; }
h1 { color: var(--mark); font-size: 1.6rem; margin: 0; }
h2 { font-size: 1.1rem; font-weight: 500; overflow-wrap: anywhere; white-space: pre-wrap; }
section { border: 1px solid var(--edge); border-radius: .4rem; margin: .6rem 0; }
header { display: flex; gap: .8rem; justify-content: space-between; padding: .5rem .8rem; }
header span { overflow-wrap: anywhere; }
button { font: inherit; height: 1.8rem; width: 2rem; }
ol { border-top: 1px solid var(--edge); font: 13px/1.6 ui-monospace, monospace; list-style: none; margin: 0; }
ol { overflow-x: auto; padding: .4rem 0; }
li { min-height: 1.6em; padding: 0 .8rem; white-space: pre; }
li b { display: inline-block; font-weight: 400; min-width: 4rem; opacity: .6; user-select: none; }
li.failed { background: #d332; border-left: 3px solid var(--mark); }
"""

JS: Final = """
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[aria-expanded]");
  if (!button) return;
  const listing = button.closest("section").querySelector("ol");
  listing.hidden = !listing.hidden;
  button.setAttribute("aria-expanded", String(!listing.hidden));
  button.textContent = listing.hidden ? "+" : "\\u2212";
});
"""

TEMPLATE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Starlette Debugger</title>
<style>{styles}</style>
</head>
<body>
<h1>500 Server Error</h1>
<h2>{error}</h2>
<main aria-label="Traceback, the innermost call first">
{frames}
</main>
<script>{js}</script>
</body>
</html>
"""

FRAME_TEMPLATE: Final = """<section>
<header>
<span><code>{filename}</code>, line <strong>{lineno}</strong>, in <code>{function}</code></span>
<button type="button" aria-label="Show or hide the source" aria-expanded="{expanded}">{sign}</button>
</header>
<ol{hidden}>{lines}</ol>
</section>"""

LINE: Final = "<li><b>{lineno}</b>{line}</li>"

CENTER_LINE: Final = '<li class="failed"><b>{lineno}</b>{line}</li>'


def describe(exc: BaseException) -> str:
    """Return `ClassName: message`, also when `str(exc)` fails; the class with its module from Python 3.13 on."""
    import traceback

    summary = traceback.TracebackException(type(exc), exc, None, compact=True)
    name = type(exc).__name__
    if sys.version_info >= (3, 13):
        name = summary.exc_type_str
    return f"{name}: {summary}"


def innermost_first(trace: TracebackType | None, context: int) -> list[inspect.FrameInfo]:
    """Return the frames of a traceback, the failing one first, each with up to `context` lines of source around it.

    `code_context` is None where there is no source: code made by `exec`, or a file that has gone.
    """
    linecache.checkcache()
    import traceback

    frames = [_frame_info(frame, lineno, context) for frame, lineno in traceback.walk_tb(trace)]
    frames.reverse()
    return frames


def _frame_info(frame: FrameType, lineno: int, context: int) -> inspect.FrameInfo:
    # PERF: `inspect.getinnerframes` searches every loaded module for each frame.
    code = frame.f_code
    lineno = lineno or code.co_firstlineno  # None for an instruction that belongs to no line
    source = linecache.getlines(code.co_filename, frame.f_globals)
    start = max(0, min(lineno - 1 - context // 2, len(source) - context))
    lines = source[start : start + context] or None
    index = None if lines is None else lineno - 1 - start
    return inspect.FrameInfo(frame, code.co_filename, lineno, code.co_name, lines, index)
