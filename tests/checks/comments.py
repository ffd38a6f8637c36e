# SPDX-License-Identifier: GPL-2.0-or-later
"""Sources taken apart: what is comment and what is code, each with as many lines as the file. Of strings, the quotes are left."""

import io
import re
import tokenize

C_LIKE = {".c", ".h", ".S", ".cc", ".inc", ".ld", ".pml", ".js", ".css"}
SHELL_LIKE = {".sh", ".cmake", ".txt", ".yml", ""}
C_PIECES = re.compile(r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""", re.DOTALL | re.VERBOSE)
SHELL_LINE = re.compile(r"((?:[^#]|(?<=\S)#)*)(.*)")


def empty_lines(text):
    return "\n" * text.count("\n")


def split_c(text):
    comments, code, at = [], [], 0
    for piece in C_PIECES.finditer(text):
        between, is_comment = text[at:piece.start()], piece[0].startswith("/")
        comments += [empty_lines(between), piece[0] if is_comment else ""]
        code += [between, empty_lines(piece[0]) or " " if is_comment else '""']
        at = piece.end()
    return "".join(comments) + empty_lines(text[at:]), "".join(code) + text[at:]


def split_python(text):
    """The documentation of functions and files counts as comment, as does every string in triple quotes."""
    code = text.split("\n")
    comments = [""] * len(code)
    for token in reversed(list(tokenize.generate_tokens(io.StringIO(text).readline))):
        if token.type not in (tokenize.COMMENT, tokenize.STRING):
            continue
        (first, left), (last, right) = token.start, token.end
        if token.type == tokenize.COMMENT or token.string.endswith('"""'):
            for number, part in enumerate(token.string.split("\n"), first):
                comments[number - 1] = part + comments[number - 1]
        rest = code[last - 1][right:]
        code[first:last] = [""] * (last - first)
        code[first - 1] = code[first - 1][:left] + ('""' if token.type == tokenize.STRING else "") + rest
    return "\n".join(comments), "\n".join(code)


def split_shell(text):
    """Also of CMake: a comment begins with a # that begins a word."""
    pairs = [SHELL_LINE.fullmatch(line).groups() for line in text.split("\n")]
    return "\n".join(comment for _, comment in pairs), "\n".join(code for code, _ in pairs)


def split(path, text):
    """(comments, code) of a file; of a kind that has no comments, all is code."""
    if path.suffix in C_LIKE:
        return split_c(text)
    if path.suffix == ".py" or re.match(r"#!.*python", text):
        return split_python(text)
    if path.suffix in SHELL_LIKE:
        return split_shell(text)
    return empty_lines(text), text
