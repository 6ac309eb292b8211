"""A terminal in memory: what a person sees after control sequences have done their work."""

import io
import re

_TOKENS = re.compile(r"\x1b\[(?P<args>[0-9;?]*)(?P<verb>[A-Za-z])|(?P<char>.)", re.DOTALL)


class Terminal(io.StringIO):
    """Understands what the live view writes: text, CR, LF, cursor up, home, erase line, cursor on and off."""

    encoding = "utf-8"

    def __init__(self, width: int = 80, height: int = 24) -> None:
        super().__init__()
        self.width, self.height = width, height
        self.lines = [""]
        self.row = self.column = 0
        self.cursor_shown = True

    def isatty(self) -> bool:
        return True

    @property
    def top(self) -> int:
        """The first line on the screen; those before are scroll-back."""
        return max(len(self.lines) - self.height, 0)

    @property
    def screen(self) -> list[str]:
        return [line.rstrip() for line in self.lines[self.top :]]

    def write(self, text: str) -> int:
        for token in _TOKENS.finditer(text):
            if token["char"] is not None:
                self._put(token["char"])
            else:
                self._control(token["verb"], token["args"])
        return len(text)

    def _put(self, char: str) -> None:
        if char == "\r":
            self.column = 0
        elif char == "\n":
            self._feed()
        else:
            if self.column == self.width:
                self._feed()
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + char + line[self.column + 1 :]
            self.column += 1

    def _feed(self) -> None:
        self.row, self.column = self.row + 1, 0
        if self.row == len(self.lines):
            self.lines.append("")

    def _control(self, verb: str, args: str) -> None:
        if verb == "A":
            self.row = max(self.row - int(args or 1), self.top)
        elif verb == "K":
            self.lines[self.row] = ""
        elif verb == "H":
            self.row, self.column = self.top, 0
        elif verb in "hl" and args == "?25":
            self.cursor_shown = verb == "h"
        elif verb != "m":
            raise AssertionError(f"unknown sequence {args}{verb}")
