"""Plain values that a Python file assigns, read without running it."""

AST_ONLY = 0x400  # ast.PyCF_ONLY_AST; importing ast itself costs more than all the rest of this


def assignments(path):
    """``{name: value}`` of the module-level assignments of constants in the file at ``path``.

    Raises OSError, SyntaxError or ValueError (a file that is no text).
    """
    with open(path, "rb") as file:
        tree = compile(file.read(), path, "exec", AST_ONLY, dont_inherit=True)
    found = {}
    for node in tree.body:
        targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        kind = type(value).__name__
        if kind in ("Constant", "NameConstant"):
            value = value.value
        elif kind == "Str":  # to Python 3.7
            value = value.s
        else:
            continue
        for target in targets:
            if type(target).__name__ == "Name":
                found[target.id] = value
    return found
