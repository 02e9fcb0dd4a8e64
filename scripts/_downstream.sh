# Sourced by `test`, after `_venv.sh`. The environment of tests/downstream: ours, and the packages that stand on top of it.
# shellcheck shell=sh

# downstream_fits: whether `ensure_downstream` has nothing to install. Runs where it is called, so call it in `( )`.
downstream_fits() {
    venv_fits downstream full && cmp -s "$root/tests/downstream/requirements.txt" "$venv/requirements.txt"
}

# ensure_downstream: sets `venv` to $root/.venv-downstream. Nothing is installed while the list of packages is the same.
ensure_downstream() {
    ensure_venv downstream full
    wanted_packages=$root/tests/downstream/requirements.txt
    if ! cmp -s "$wanted_packages" "$venv/requirements.txt"; then
        printf 'Installing the packages of tests/downstream; this happens once.\n'
        # In one go with ours, so that the installer never sees a reason to look for another starlette.
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$root[full]" \
            --requirement "$wanted_packages" || fail "the packages cannot be installed; is the package registry reachable?"
        cp "$wanted_packages" "$venv/requirements.txt"
    fi
}
