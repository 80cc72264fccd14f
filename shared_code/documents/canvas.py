"""Drawing operators of one page, in points from the top left corner: text and rules, nothing else."""

from shared_code.documents.typeface import Face

PAGE_WIDTH = 612.0
PAGE_HEIGHT = 792.0

INK = "0.10 0.12 0.16 rg"
SOFT = "0.38 0.41 0.46 rg"
_DARK_RULE = "0.10 0.12 0.16 RG"
_LIGHT_RULE = "0.84 0.86 0.88 RG"


class Canvas:
    """The content stream of one page. Text is drawn with the baseline at `y`; font and color are set on change."""

    __slots__ = ("_face", "_fill", "_operators", "_size")

    def __init__(self) -> None:
        self._operators: list[str] = []
        self._fill = ""
        self._face = ""
        self._size = 0.0

    def text(self, x: float, y: float, text: str, face: Face, size: float, fill: str = INK) -> None:
        if fill != self._fill:
            self._operators.append(fill)
            self._fill = fill
        if size != self._size or face.name != self._face:
            self._operators.append(f"/{face.name} {size} Tf")
            self._face, self._size = face.name, size
        self._operators.append(f"BT {x:.2f} {PAGE_HEIGHT - y:.2f} Td ({face.encoded(text)}) Tj ET")

    def text_right(self, right: float, y: float, text: str, face: Face, size: float, fill: str = INK) -> None:
        self.text(right - face.width(text, size), y, text, face, size, fill)

    def rule(self, left: float, right: float, y: float, weight: float = 0.75, *, light: bool = False) -> None:
        height = PAGE_HEIGHT - y
        color = _LIGHT_RULE if light else _DARK_RULE
        self._operators.append(f"{color} {weight} w {left:.2f} {height:.2f} m {right:.2f} {height:.2f} l S")

    def content(self) -> bytes:
        return "\n".join(self._operators).encode("latin-1")
