"""The documentation names tests that exist: a promise without its test would be none."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_every_complaint_has_tests_and_every_test_named_exists():
    text = (ROOT / "docs" / "complaints.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| Complaint")]
    assert len(rows) == 12
    assert all("::test_" in row.split("|")[3] for row in rows)
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", text)
    assert named
    assert [f"{file}::{name}" for file, name in named if f"def {name}(" not in (ROOT / file).read_text()] == []


def test_every_test_file_that_the_documentation_names_exists():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    named = {
        (page.name, name)
        for page in pages
        for name in re.findall(r"[\w/]*\btest_\w+\.py", page.read_text(encoding="utf-8"))
    }
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py")}
    assert len(named) > 30
    known = files | {Path(file).name for file in files}
    assert sorted((page, name) for page, name in named if name not in known) == []
