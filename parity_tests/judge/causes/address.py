"""Changing one piece of code, found by the function that it stands in and by its syntax, not by how it is laid out.

Code is compared as ``ast.unparse`` writes it: white space, comments, line breaks and parentheses do not matter.  What is
not changed keeps its place and its comments, so that tracebacks, ``inspect`` and the labels of equations stay true.
"""

import ast
from collections.abc import Iterator

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
Piece = list[ast.expr] | list[ast.stmt]  # one expression, or consecutive statements


def changed(source: str, function: str, old: str, new: str) -> str:
    """The source with one piece of one function replaced; ``old`` and ``new`` are two expressions, or statements.

    ``function`` is "forward", "Class.method"; "" for what stands outside of functions and classes.  LookupError: there is no
    such function, or no such code in it, or not only once.
    """
    expressions = _is_expression(old) and _is_expression(new)
    wanted = _normal(ast.parse(old, mode="eval").body) if expressions else _normal(*ast.parse(old).body)
    pieces = _expressions if expressions else _statements
    matching = [piece for piece in pieces(definition(ast.parse(source), function)) if _normal(*piece) == wanted]
    if len(matching) != 1:
        raise LookupError(f"{function or 'the module'} must contain {old!r} once, but has it {len(matching)} times")
    piece = matching[0]
    return _spliced(source, piece, f"({new})" if expressions else new.replace("\n", "\n" + " " * piece[0].col_offset))


def definition(module: ast.Module, function: str) -> ast.AST:
    """The function, method or class of a dotted name; the module for an empty one.  LookupError: it is not there once."""
    place: ast.AST = module
    for name in function.split(".") if function else ():
        defined = [node for node in _outside(place) if isinstance(node, DEFINITIONS) and node.name == name]
        if len(defined) != 1:
            raise LookupError(f"{function} must be defined once, but is {len(defined)} times")
        place = defined[0]
    return place


def _outside(place: ast.AST) -> Iterator[ast.AST]:
    """What stands in a place, but not what stands in a definition within it."""
    for node in ast.iter_child_nodes(place):
        yield node
        if not isinstance(node, DEFINITIONS):
            yield from _outside(node)


def _all(place: ast.AST) -> Iterator[ast.AST]:
    return _outside(place) if isinstance(place, ast.Module) else ast.walk(place)


def _expressions(place: ast.AST) -> Iterator[list[ast.expr]]:
    return ([node] for node in _all(place) if isinstance(node, ast.expr))


def _statements(place: ast.AST) -> Iterator[list[ast.stmt]]:
    """Every run of consecutive statements."""
    for node in (place, *_all(place)) if isinstance(place, ast.Module) else _all(place):
        for field in ("body", "orelse", "finalbody"):
            body = getattr(node, field, None)
            if isinstance(body, list):
                yield from (body[i:j] for i in range(len(body)) for j in range(i + 1, len(body) + 1))


def _normal(*nodes: ast.AST) -> str:
    return "\n".join(map(ast.unparse, nodes))


def _is_expression(code: str) -> bool:
    try:
        ast.parse(code, mode="eval")
    except SyntaxError:
        return False
    return True


def _spliced(source: str, piece: Piece, code: str) -> str:
    """The source with the lines and columns that a piece takes up replaced; columns of ``ast`` count bytes."""
    first, last = piece[0], piece[-1]
    assert last.end_lineno is not None and last.end_col_offset is not None
    lines = source.encode().splitlines(keepends=True)
    before = b"".join(lines[: first.lineno - 1]) + lines[first.lineno - 1][: first.col_offset]
    after = lines[last.end_lineno - 1][last.end_col_offset :] + b"".join(lines[last.end_lineno :])
    return (before + code.encode() + after).decode()
