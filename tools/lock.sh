#!/bin/sh
# Pins every set of requirements anew, with hashes and without addresses. Run by `make lock`.
# Versions younger than a week are left alone: a poisoned release is usually found within days.
set -eu
cd "$(dirname "$0")/.."

pin() {
    target=requirements/$1
    shift
    {
        echo "# Made by 'make lock' from pyproject.toml. Do not edit."
        .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
            --no-emit-index-url --no-annotate --no-header --exclude-newer 7days "$@"
    } >"$target.new"
    mv "$target.new" "$target"
}

pin cli.txt pyproject.toml
pin server.txt --extra server pyproject.toml
pin scanner.txt --extra scanner pyproject.toml
pin build.txt --group pyproject.toml:build
pin dev.txt --extra server --extra scanner --group pyproject.toml:build --group pyproject.toml:dev pyproject.toml
pin bench.txt --group pyproject.toml:bench
pin train.txt --group pyproject.toml:train
pin hvac-suite.txt --group pyproject.toml:hvac-suite
pin ansible.txt --group pyproject.toml:ansible
pin lock.txt --group pyproject.toml:lock
