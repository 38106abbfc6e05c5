"""Keeps how the claims at full settings last went, for GALLERY.md: `pytest --record FILE`.

Each test marked `claims_full` has its outcome, the seconds it took with what it set up, and the
day and commit of that run. A run of some of them changes theirs alone.
"""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

MARKER = "claims_full"


class Record:
    """A plugin of pytest that listens to reports, and writes at the end."""

    def __init__(self, path, root):
        self.path, self.root, self.found = Path(path), root, {}

    def pytest_runtest_logreport(self, report):
        """Add up the phases of a test; it passed if all did."""
        if MARKER not in report.keywords:
            return
        test = self.found.setdefault(report.nodeid, {"outcome": "passed", "seconds": 0.0})
        test["seconds"] += report.duration
        if report.outcome != "passed":
            test["outcome"] = report.outcome

    def pytest_sessionfinish(self):
        """Write what was heard among what is known."""
        if not self.found:
            return
        known = json.loads(self.path.read_text("utf-8")) if self.path.exists() else {}
        run = {"date": datetime.now(UTC).date().isoformat(), "commit": commit_of(self.root)}
        for name, test in self.found.items():
            known[name] = {"outcome": test["outcome"], "seconds": round(test["seconds"])} | run
        text = json.dumps(known, indent=1, sort_keys=True)
        self.path.write_text(text + "\n", encoding="utf-8")


def commit_of(root):
    """Return the commit that is checked out, with "-dirty" where files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
