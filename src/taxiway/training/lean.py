"""The part of a model's code that a compiled release needs: `features`, and what it refers to.

`model.py` also makes the estimator, and imports the library for it. A server whose engine does
without that library should not load it: it takes most of the start and of the memory.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

SIMPLE = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)


def only_features(source: bytes, name: str = "features") -> bytes | None:
    """The source with nothing but `features` and what it refers to, or None if that can't be told.

    It can't where the module does more than define: a call, a loop, or a star import at its top
    could be what the function relies on.

    >>> print(only_features(b"import json, math\\nimport csv\\nA = 2\\nB = A\\n"
    ...                     b"def features(x):\\n    return math.floor(x) * B\\n").decode())
    import math
    A = 2
    B = A
    <BLANKLINE>
    def features(x):
        return math.floor(x) * B
    """
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    statements = [one for one in module.body if not _is_docstring(one)]
    if not all(isinstance(one, SIMPLE) for one in statements) or _is_dynamic(module):
        return None
    wanted, kept = {name}, set[int]()
    while True:
        new = {
            at
            for at, one in enumerate(statements)
            if at not in kept and not wanted.isdisjoint(_binds(one))
        }
        if not new:
            break
        kept |= new
        for at in new:
            wanted |= set(_refers_to(statements[at]))
    left_out = [one for at, one in enumerate(statements) if at not in kept]
    if any(_may_change(one, wanted) for one in left_out):
        return None
    body = [_without_other_names(one, wanted) for at, one in enumerate(statements) if at in kept]
    if not any(isinstance(one, ast.FunctionDef) and one.name == name for one in body):
        return None
    future = [o for o in statements if isinstance(o, ast.ImportFrom) and o.module == "__future__"]
    lean = ast.Module([*future, *(one for one in body if one not in future)], type_ignores=[])
    return ast.unparse(ast.fix_missing_locations(lean)).encode()


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_dynamic(module: ast.Module) -> bool:
    """Whether names may come from elsewhere than from the statements that bind them."""
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return True
        if isinstance(node, ast.Global):
            return True
        if isinstance(node, ast.Name) and node.id in {"globals", "eval", "exec", "__import__"}:
            return True
    return False


def _may_change(statement: ast.stmt, wanted: set[str]) -> bool:
    """Whether a statement could change what a wanted name holds: `_ = NAMES.append(...)`."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign):
        return False
    inner = list(ast.walk(statement))
    if any(isinstance(n, ast.Attribute | ast.Subscript) and _stores(n) for n in inner):
        return True
    calls = any(isinstance(node, ast.Call) for node in inner)
    return calls and not wanted.isdisjoint(_refers_to(statement))


def _stores(node: ast.Attribute | ast.Subscript) -> bool:
    return isinstance(node.ctx, ast.Store)


def _binds(statement: ast.stmt) -> set[str]:
    """The names that a statement at the top of a module defines."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {_bound(alias) for alias in statement.names}
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    return {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _bound(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _refers_to(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            yield node.id


def _without_other_names(statement: ast.stmt, wanted: set[str]) -> ast.stmt:
    """An import of the wanted names only."""
    if isinstance(statement, ast.Import):
        return ast.Import([alias for alias in statement.names if _bound(alias) in wanted])
    if isinstance(statement, ast.ImportFrom):
        names = [alias for alias in statement.names if _bound(alias) in wanted]
        return ast.ImportFrom(statement.module, names, statement.level)
    return statement
