# Shared by run, test and .ci/run: makes .venv/ hold what a lock file says. Sourced by bash in the project's root.

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# Prints the first Python that is new enough.
find_python() {
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    die "Kaitong needs Python 3.11 or newer; here is $(python3 --version 2>&1 || echo none).
Install it (Debian: apt-get install python3 python3-venv) and start again."
}

# make_venv: a fresh .venv/, unless there is a working one.
make_venv() {
    .venv/bin/python -c '' 2>/dev/null && .venv/bin/python -m pip --version >/dev/null 2>&1 && return
    local python
    python=$(find_python) || exit 1
    "$python" -c 'import ensurepip, venv' 2>/dev/null || die "$python cannot make virtual environments.
Install its venv package (Debian: apt-get install python3-venv) and start again."
    say "Making .venv/ with $("$python" --version)"
    "$python" -m venv --clear .venv
}

# install_lock FILE: the packages of the lock file, each checked by its hash, then Kaitong itself from this folder.
# A stamp in .venv/ remembers what was installed, so that the next start skips it.
install_lock() {
    local lock=$1 stamp=.venv/installed-$1 wanted
    make_venv
    wanted=$(cat "$lock" setup.cfg pyproject.toml | cksum)-$PWD
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
    say "Installing $lock (once; needs a package index)"
    local pip=(.venv/bin/python -m pip --disable-pip-version-check --no-input install --quiet)
    "${pip[@]}" --no-deps --require-hashes -r "$lock"
    "${pip[@]}" --no-deps --no-build-isolation --editable .
    printf '%s' "$wanted" >"$stamp"
}

# The front end and the translations, made from their sources; skips what is up to date. Without them the pages are
# plain HTML, so a machine that cannot build them (no Node and no package index) still works.
build_assets() {
    .venv/bin/kaitong assets build || echo "The front end could not be built: pages are plain HTML until './run' can build it."
}

# One set-up at a time, when run and test are started together.
lock_environment() {
    command -v flock >/dev/null || return 0
    exec 9<.ci/environment.sh
    flock 9
}
unlock_environment() { exec 9<&-; }
