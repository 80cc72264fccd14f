"""Route templates of HTTP triggers: literals, `{name}`, `{name?}` and `{*rest}`; no constraints.

Literals match without regard to case, as on the platform. Where several templates match a path the
more literal one wins, segment by segment from the left.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

_PARAMETER = re.compile(r"^\{(?P<star>\*{0,2})(?P<name>\w+)(?P<optional>\??)\}$")


@dataclass(frozen=True, slots=True)
class _Segment:
    kind: str  # literal, parameter, optional or rest
    text: str


_RANKS = {"literal": 0, "parameter": 1, "optional": 2, "rest": 3}


@dataclass(frozen=True, slots=True)
class RouteTemplate:
    """A parsed template."""

    text: str
    segments: tuple[_Segment, ...]

    @classmethod
    def parse(cls, text: str) -> "RouteTemplate":
        """Read a template.

        Raises ValueError for constraints, mixed segments, repeated names and misplaced optional parts.
        """
        cleaned = text.strip("/")
        segments = tuple(_segment(part, text) for part in cleaned.split("/")) if cleaned else ()
        names = [s.text.lower() for s in segments if s.kind != "literal"]
        if len(set(names)) != len(names):
            raise ValueError(f"route {text!r} uses a parameter twice")
        for segment in segments[:-1]:
            if segment.kind in ("optional", "rest"):
                raise ValueError(f"route {text!r}: {{{segment.text}}} may only stand at the end")
        return cls(cleaned, segments)

    @property
    def rank(self) -> tuple[int, ...]:
        """Sort key: the smaller template is tried first."""
        return (*(_RANKS[s.kind] for s in self.segments), -1)

    @property
    def shape(self) -> tuple[str, ...]:
        """Equal for two templates that match the same paths."""
        return tuple(s.text.lower() if s.kind == "literal" else f"{{{s.kind}}}" for s in self.segments)

    def match(self, path: str) -> Mapping[str, str] | None:
        """Route parameters, decoded, when the still percent-encoded path below the prefix matches; else None."""
        cleaned = path.strip("/")
        parts = cleaned.split("/") if cleaned else []
        found: dict[str, str] = {}
        for position, segment in enumerate(self.segments):
            rest = parts[position:]
            if segment.kind == "rest":
                found[segment.text] = "/".join(unquote(part) for part in rest)
                return found
            if not rest:
                return found if segment.kind == "optional" else None
            value = unquote(rest[0])
            if segment.kind == "literal":
                if value.lower() != segment.text.lower():
                    return None
            elif not value:
                return None
            else:
                found[segment.text] = value
        return found if len(parts) <= len(self.segments) else None


def _segment(part: str, template: str) -> _Segment:
    if "{" not in part and "}" not in part:
        if not part:
            raise ValueError(f"route {template!r} has an empty segment")
        return _Segment("literal", part)
    match = _PARAMETER.match(part)
    if match is None:
        raise ValueError(f"route {template!r}: the segment {part!r} is not offered (no constraints, no mixed segments)")
    if match.group("star"):
        return _Segment("rest", match.group("name"))
    return _Segment("optional" if match.group("optional") else "parameter", match.group("name"))
