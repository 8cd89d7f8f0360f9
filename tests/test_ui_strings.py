"""Two sections that give one name two meanings would show one's words in the other's place."""

import ast
from collections import Counter
from pathlib import Path

from ui import strings


def test_every_name_is_given_once():
    assigned = [
        name.id
        for statement in ast.parse(Path(strings.__file__).read_text(encoding="utf-8")).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name)
    ]
    assert len(assigned) > 200
    assert [name for name, count in Counter(assigned).items() if count > 1] == []
