#!/bin/bash
# The steps of action.yml. What a workflow or an event says is read from the environment, and never run.
set -euo pipefail
environment=$RUNNER_TEMP/strongroom
# The working folder is the repository: a venv.py or a folder pip in it is not to be run in the place of Python's own.
export PYTHONSAFEPATH=1

install() {
    local from=$GITHUB_ACTION_PATH pip=("$environment/bin/python" -m pip --quiet --disable-pip-version-check install)
    "${INPUT_PYTHON:-python3}" -m venv "$environment"
    "${pip[@]}" --require-hashes --only-binary :all: --no-deps \
        -r "$from/requirements/cli.txt" -r "$from/requirements/scanner.txt" -r "$from/requirements/build.txt"
    "${pip[@]}" --no-deps --no-build-isolation --no-index "$from"
}

# What to scan: the range that was asked for, or else what the event brings; nothing means everything.
since() {
    if [ -n "$INPUT_SINCE" ]; then
        [ "$INPUT_SINCE" = all ] || printf %s "$INPUT_SINCE"
        return
    fi
    local base=${EVENT_BASE:-}
    case $base in
    '' | *[!0-9a-f]* | *[!0]*) ;;
    *) base= ;; # a new branch: there was nothing before
    esac
    if [ -z "$base" ] && [ "${GITHUB_REF_NAME:-}" != "${DEFAULT_BRANCH:-}" ]; then
        base=refs/remotes/origin/${DEFAULT_BRANCH:-}
    fi
    if [ -z "$base" ]; then
        return
    elif git -C "$INPUT_PATH" cat-file -e "$base^{commit}" 2>/dev/null; then
        printf %s "$base..HEAD"
    else
        echo "::warning title=Everything is scanned::The commit that this builds on is not in the clone; fetch-depth: 0 brings it." >&2
    fi
}

scan() {
    local sarif=$RUNNER_TEMP/strongroom.sarif range exit_code=0
    # A code of its own for secrets: 1 is also what a command line says that it cannot make sense of.
    local words=(scan git -exit-code=10 "-format=${INPUT_FORMAT:-github}" "-report=sarif:$sarif" -redact)
    range=$(since)
    [ -z "$range" ] || words+=("-since=$range")
    [ -z "$INPUT_LEVEL" ] || words+=("-level=$INPUT_LEVEL")
    [ -z "$INPUT_BASELINE" ] || words+=("-baseline=$INPUT_BASELINE")
    # Of what is said, only the annotations are to be commands: names of files are not ours.
    "$environment/bin/strongroom" "${words[@]}" -- "$INPUT_PATH" 2> >(sed 's/##\[/## [/g; s/^ *::/: :/' >&2) || exit_code=$?
    if [ -e "$sarif" ]; then
        printf 'sarif=%s\n' "$sarif" >>"$GITHUB_OUTPUT"
    fi
    case $exit_code in
    0) echo "found=false" >>"$GITHUB_OUTPUT" ;;
    10)
        echo "found=true" >>"$GITHUB_OUTPUT"
        exit_code=1
        [ "$INPUT_FAIL" != false ] || exit_code=0
        ;;
    *) exit_code=2 ;;
    esac
    return "$exit_code"
}

case ${1:-} in
install) install ;;
scan) scan ;;
*) echo "usage: github-scan.sh install|scan" >&2 && exit 2 ;;
esac
