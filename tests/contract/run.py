"""Fuzzes the contract: a server of the demo on each database, and schemathesis against it with the token of each role.

Called by `make contract`, which makes the virtual environment and starts PostgreSQL. Choose less with ROLES="coordinator nobody" and
DATABASES=sqlite; SEED changes the cases.
"""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "target" / "contract"
PROGRAM = Path(os.environ.get("LAHETE", ROOT / "target" / "debug" / "lahete"))
SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
SEED = os.environ.get("SEED", "20261122")

# Who signs in for a role: a demo account, the demo's machine, or nobody. Lauri is asked only when Liisa cannot: a proposal waits for him.
ROLES = {
    "nobody": [None],
    "coordinator": ["kaisa"],
    "admin": ["antti"],
    "link_worker": ["liisa", "lauri"],
    "referrer": ["riikka"],
    "client": ["aino"],
    "privacy_officer": ["tiina"],
    "report_reader": ["pekka"],
    "machine": [None],
}
PASSWORD = "hyvinvointilahete-demo"
MACHINE = ("01900000-0000-7000-8000-000000000028", "lahete_demo-only-not-secret")

# Fewer would say too little.
CASES_MIN = 10_000
PHASES = ["examples", "coverage", "fuzzing", "stateful"]
# How often the operations that no role has got a 2xx from are tried again, each time on a fresh demo: their examples need the same referrals.
ROUNDS_MAX = 10
STARTS_MAX = 3


def fail(text):
    print(f"contract: {text}", file=sys.stderr)
    sys.exit(1)


@dataclass
class Demo:
    """A server with the demo in a database of its own."""

    database: str
    name: str

    def __enter__(self):
        self.folder = WORK / self.name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        url = f"sqlite:{self.folder}/lahete.db"
        if self.database == "postgresql":
            self.socket = os.environ["LAHETE_TEST_POSTGRESQL_SOCKET"]
            self.table = "contract_" + re.sub(r"\W", "_", self.name)
            self.client("createdb")
            # What becomes of a commit when the machine fails is looked at elsewhere.
            url = f"postgres://lahete@/{self.table}?host={self.socket}&options=-c%20synchronous_commit%3Doff"
        settings = {
            "LAHETE_BIND": "127.0.0.1:0",
            "LAHETE_DATABASE": url,
            "LAHETE_DATA_DIR": str(self.folder),
            "LAHETE_LOG": "warn",
            "LAHETE_WORKERS": "2",
            # How fast the machine is decides nothing here.
            "LAHETE_HANDLER_TIMEOUT_SECONDS": "110",
            "LAHETE_DRAIN_SECONDS": "0",
            # Everything comes from one address here.
            "LAHETE_TOKEN_REQUESTS_PER_MINUTE": "1000000",
            "LAHETE_PUBLIC_REQUESTS_PER_MINUTE": "1000000",
            "LAHETE_SEARCH_REQUESTS_PER_MINUTE": "1000000",
            "LAHETE_MISSES_PER_MINUTE": "1000000",
        }
        self.log = open(self.folder / "server.log", "w", encoding="utf-8")
        # The demo is seeded in one transaction, which on a busy machine may be slower than the store allows: then it is begun again.
        for _ in range(STARTS_MAX):
            self.server = subprocess.Popen(
                [PROGRAM, "serve", "--demo"], cwd=self.folder, env=settings, stdout=subprocess.PIPE, stderr=self.log, text=True
            )
            for line in self.server.stdout:
                found = re.search(r"http://[^/\s]+", line)
                if found:
                    self.address = found.group()
                    # The rest is read so that the server never waits for a reader.
                    threading.Thread(target=self.server.stdout.read, daemon=True).start()
                    return self
            self.server.wait()
        raise RuntimeError(f"the server did not start: {(self.folder / 'server.log').read_text()[-2000:]}")

    def __exit__(self, *_):
        self.server.send_signal(signal.SIGTERM)
        try:
            self.server.wait(20)
        except subprocess.TimeoutExpired:
            self.server.kill()
        self.log.close()
        if self.database == "postgresql":
            self.client("dropdb")
        for file in self.folder.glob("lahete.db*"):
            file.unlink()

    def client(self, program):
        """PostgreSQL's own programs make and drop databases."""
        place = Path(os.environ["LAHETE_TEST_POSTGRESQL_PROGRAMS"]) / program
        subprocess.run([place, "-h", self.socket, "-U", "lahete", self.table], check=True, capture_output=True)

    def authorization(self, role, login):
        if role == "nobody":
            return None
        form = {"grant_type": "password", "username": login, "password": PASSWORD}
        if role == "machine":
            form = {"grant_type": "client_credentials", "client_id": MACHINE[0], "client_secret": MACHINE[1]}
        data = urllib.parse.urlencode(form).encode()
        with urllib.request.urlopen(f"{self.address}/oauth/token", data, timeout=20) as answer:
            return "Bearer " + json.load(answer)["access_token"]


def creating_operations():
    """The operations that make something: their answer 201 leads on to others."""
    document = yaml.load((ROOT / "openapi.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    return {operation["operationId"] for operation in operations if operation["responses"].get("201", {}).get("links")}


def allowed_operations():
    """Which operations a role ever gets anything from, as the reviewed table of all callers says."""
    allowed = defaultdict(set)
    operation = None
    for line in (ROOT / "tests/it/golden/http_matrix.txt").read_text(encoding="utf-8").splitlines():
        if found := re.match(r"    (\w+) \[", line):
            operation = found.group(1)
        elif (found := re.match(r"        (\S+) +(.*)", line)) and found.group(1) in ("2xx", "list", "none", "409"):
            for caller in found.group(2).split():
                allowed[caller].add(operation)
    for role in ROLES:
        if not allowed[role]:
            fail(f"the table of callers knows no {role}")
    return allowed


@dataclass
class Run:
    """One run of schemathesis: who against which database."""

    database: str
    role: str
    phases: list
    operations: list  # All, when empty.
    covered: set  # What another role has been through the coverage phase with.
    login: str = None
    seconds: float = 0
    answers: Counter = None
    failed: bool = False
    report: str = ""

    @property
    def name(self):
        return f"{self.database}-{self.role}" + ("-rest" if self.operations else "")

    def start(self, allowed):
        begun = time.monotonic()
        with Demo(self.database, self.name) as demo:
            config = demo.folder / "schemathesis.toml"
            config.write_text(self.config(allowed), encoding="utf-8")
            environment = dict(os.environ)
            counts = demo.folder / "counts.json"
            authorization = demo.authorization(self.role, self.login)
            environment |= {"CONTRACT_ROLE": self.role, "CONTRACT_COUNTS": str(counts), "CONTRACT_AUTHORIZATION": authorization or "", "COLUMNS": "160"}
            command = [SCHEMATHESIS, "--config-file", config, "run", f"{demo.address}/openapi.json", "--no-color"]
            command += ["--phases", ",".join(self.phases), "--seed", SEED, "--warnings", "off"]
            if authorization:
                command += ["-H", f"Authorization: {authorization}"]
            for operation in self.operations:
                command += ["--include-operation-id", operation]
            done = subprocess.run(command, cwd=demo.folder, env=environment, capture_output=True, text=True)
            self.report = done.stdout + done.stderr
            (demo.folder / "report.txt").write_text(self.report, encoding="utf-8")
            self.failed = done.returncode != 0
            self.answers = Counter()
            if counts.exists():
                for phase, operation, kind, status, number in json.loads(counts.read_text()):
                    self.answers[phase, operation, kind, status] += number
            if demo.server.poll() is not None:
                self.failed = True
                self.report += "\nthe server ended by itself\n"
        self.seconds = time.monotonic() - begun
        return self

    def config(self, allowed):
        """The common configuration. Where a role is shut out, the examples will do."""
        text = (HERE / "schemathesis.toml").read_text(encoding="utf-8")
        text = text.replace('hooks = "hooks.py"', f'hooks = "{HERE}/hooks.py"')
        names = re.findall(r"^(\w+) ", (ROOT / "tests/it/golden/operations.txt").read_text(encoding="utf-8"), re.M)
        shut = sorted(set(names) - allowed[self.role])
        for operations, phases in [(shut, ["coverage", "fuzzing", "stateful"]), (sorted(self.covered - set(shut)), ["coverage"])]:
            if operations and not self.operations:
                text += f"\n[[operations]]\ninclude-operation-id = {json.dumps(operations)}\n"
                text += "".join(f"phases.{phase}.enabled = false\n" for phase in phases)
        return text

    def reached(self):
        return {operation for (_, operation, kind, status) in self.answers if kind == "own" and 200 <= status < 300}


class Progress:
    """A line for each run that has ended, while the others go on."""

    def __init__(self, total):
        self.lock, self.total, self.done, self.begun, self.cases = threading.Lock(), total, 0, time.monotonic(), 0

    def say(self, run):
        with self.lock:
            self.done += not run.operations
            cases = sum(run.answers.values())
            self.cases += cases
            state = "FAILED" if run.failed else "ok"
            of = f"{self.done:>2}/{self.total}" if not run.operations else "  +  "
            gone = time.monotonic() - self.begun
            print(f"contract: {gone:5.0f} s  {of}  {run.name:<32} {cases:>6} cases in {run.seconds:4.0f} s  {state}", flush=True)


def against(database, roles, allowed, progress, runs):
    """All runs against one database, one after another."""
    mine = []
    creating = creating_operations()

    def go(run):
        mine.append(run.start(allowed))
        runs.append(run)
        progress.say(run)

    # The coverage phase looks at what is the same for all callers, so one of those who may do a thing goes through it; on the other database
    # that is another one.
    covered = set()
    for role in roles if database == "sqlite" else reversed(roles):
        # Whoever makes nothing has no way from one answer to the next call, and no states to go through.
        phases = PHASES if allowed[role] & creating else PHASES[:3]
        go(Run(database, role, phases, [], set(covered), ROLES[role][0]))
        covered |= allowed[role]
    for turn in range(ROUNDS_MAX):
        for role in roles:
            reached = set().union(*(run.reached() for run in mine))
            if todo := sorted(allowed[role] - reached):
                logins = ROLES[role]
                go(Run(database, role, ["examples"], todo, set(), logins[turn % len(logins)]))


def table(head, rows):
    widths = [max(len(str(row[column])) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        cells = [str(cell).rjust(width) if index else str(cell).ljust(width) for index, (cell, width) in enumerate(zip(row, widths))]
        print("  " + "  ".join(cells).rstrip())
    print()


def tables(runs):
    total = sum((run.answers for run in runs), Counter())

    def number(*wanted):
        return sum(count for run in runs for key, count in run.answers.items() if all(test(run, key) for test in wanted))

    databases = sorted({run.database for run in runs})
    print("\nCases by role and phase\n")
    rows = []
    for role in dict.fromkeys(run.role for run in runs):
        cells = [number(lambda run, key: run.role == role, lambda run, key: key[0] == phase) for phase in PHASES]
        rows.append([role, *cells, sum(cells)])
    rows.append(["all", *[sum(row[column] for row in rows) for column in range(1, len(PHASES) + 2)]])
    table(["role", *PHASES, "all"], rows)

    print("Cases and seconds by database\n")
    rows = []
    for database in databases:
        cases = number(lambda run, key: run.database == database)
        rows.append([database, cases, round(sum(run.seconds for run in runs if run.database == database))])
    table(["database", "cases", "seconds"], rows)

    print("Answers by operation (own methods, all roles and databases)\n")
    statuses = sorted({status for (_, _, kind, status) in total if kind == "own"})
    by_operation = defaultdict(Counter)
    for (_, operation, kind, status), count in total.items():
        if kind == "own":
            by_operation[operation][status] += count
    table(["operation", *statuses], [[operation, *[counts[status] or "·" for status in statuses]] for operation, counts in sorted(by_operation.items())])
    return sum(total.values())


def main():
    if not PROGRAM.exists():
        fail(f"{PROGRAM} is missing: run `cargo build` first")
    if not SCHEMATHESIS.exists():
        fail(f"{SCHEMATHESIS} is missing: run `make contract`")
    roles = os.environ.get("ROLES", " ".join(ROLES)).split()
    databases = os.environ.get("DATABASES", "sqlite postgresql").split()
    if "postgresql" in databases and "LAHETE_TEST_POSTGRESQL_SOCKET" not in os.environ:
        fail("no PostgreSQL: run `make contract`, which starts one")
    allowed = allowed_operations()
    runs, progress = [], Progress(len(roles) * len(databases))
    faults = []

    def guarded(database):
        try:
            against(database, roles, allowed, progress, runs)
        except Exception as error:  # A thread that ended by an error must not look like one that found nothing.
            faults.append(f"{database}: {error!r}")

    threads = [threading.Thread(target=guarded, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for run in runs:
        if run.failed or not run.answers:
            faults.append(f"{run.name} failed; its report is {WORK / run.name / 'report.txt'}")
            print(f"\n===== {run.name} =====\n{run.report}")
    cases = tables(runs)
    whole = set(roles) == set(ROLES)
    for database in databases:
        reached = set().union(*(run.reached() for run in runs if run.database == database))
        wanted = set().union(*(allowed[role] for role in roles))
        if missing := sorted(wanted - reached):
            faults.append(f"{database}: no 2xx from {', '.join(missing)}")
    errors = {key for run in runs for key in run.answers if key[3] >= 500}
    if errors:
        faults.append(f"answers from 500 up: {sorted(errors)}")
    if whole and cases < CASES_MIN:
        faults.append(f"{cases} cases are too few: at least {CASES_MIN}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    gone, cpu = time.monotonic() - progress.begun, used.ru_utime + used.ru_stime
    print(f"contract: {cases} cases in {gone:.0f} s ({cpu:.0f} s of processor time), seed {SEED}, {len(faults)} faults")
    for fault in faults:
        print(f"contract: {fault}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
