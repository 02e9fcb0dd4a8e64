# Sourced by `run` and `test`. Makes virtual environments that depend on nothing but git, Python and pip.
# shellcheck shell=sh
#
# An environment is a folder `.venv-*` of the checkout, never the `.venv` that a developer may keep for an editor. Each
# carries a stamp: interpreter, place of the checkout, extras, and a digest of what pyproject.toml says about the package.
# While the stamp fits, nothing is installed and no network is needed; otherwise the environment is made anew, so that a
# dependency that was dropped does not linger.

unset PYTHONHOME PYTHONPATH VIRTUAL_ENV

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# An interpreter that starts, is new enough, and can make environments. Prints nothing.
suits() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# Sets `python`: $PYTHON if it is set, else `python3`, else the newest python3.N on the path.
choose_python() {
    if [ -n "${PYTHON:-}" ]; then
        command -v "$PYTHON" >/dev/null 2>&1 || fail "PYTHON is set to '$PYTHON', which is not there"
        suits "$PYTHON" || fail "Python 3.11 or newer is needed; PYTHON=$PYTHON is $("$PYTHON" --version 2>&1)"
        python=$PYTHON
    else
        python=
        for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
            if suits "$candidate"; then
                python=$candidate
                break
            fi
        done
        [ -n "$python" ] || fail "Python 3.11 or newer is needed, found $(python3 --version 2>&1 || echo 'no python3');" \
            "install one, or name it: PYTHON=/path/to/python $0"
    fi
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 || fail "this Python cannot make virtual environments:" \
        "$("$python" --version) at $(command -v "$python"); on Debian and Ubuntu: apt install python3-venv"
}

# registry_answers PYTHON: whether pip of this interpreter gets something from the package registry. Prints nothing.
registry_answers() {
    probe=$(mktemp -d)
    answer=0
    "$1" -m pip download --quiet --disable-pip-version-check --no-deps --retries 1 --timeout 10 \
        --dest "$probe" fastapi >/dev/null 2>&1 || answer=1
    rm -rf "$probe"
    return "$answer"
}

# venv_fits NAME EXTRAS: sets `venv` to the folder $root/.venv-NAME, and `wanted` to what its stamp has to say.
# Whether it says so: then nothing has to be installed.
venv_fits() {
    venv=$root/.venv-$1
    wanted=$("$python" - "$root" "$2" <<'PYTHON'
import hashlib, json, pathlib, platform, sys, tomllib

root, extras = sys.argv[1:]
with open(pathlib.Path(root, "pyproject.toml"), "rb") as file:
    settings = tomllib.load(file)
package = json.dumps([settings["build-system"], settings["project"], settings["tool"]["hatch"]], sort_keys=True)
digest = hashlib.sha256(package.encode()).hexdigest()
print(sys.implementation.name, platform.python_version(), sys.base_prefix, root, extras, digest)
PYTHON
    )
    [ -x "$venv/bin/python" ] && [ "$(cat "$venv/stamp" 2>/dev/null)" = "$wanted" ]
}

# ensure_venv NAME EXTRAS: sets `venv` like `venv_fits`; the checkout is installed there in editable mode.
ensure_venv() {
    if venv_fits "$1" "$2"; then
        return
    fi
    printf 'Installing into %s (%s); this happens once.\n' ".venv-$1" "$("$python" --version)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$root[$2]"
    printf '%s\n' "$wanted" >"$venv/stamp"
}
