"""Parts of the catalogue, read from YAML: what is wrong is said with file, row and key."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from schemas.regels import PATRONEN


class CatalogueError(Exception):
    """The catalogue cannot be used; the text names file, key and reason."""


class Part(BaseModel):
    """What stands in a file, or in a row of it; an unknown key is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=False)
    _place: str = PrivateAttr(default="")

    @property
    def place(self) -> str:
        """The file that it was read from, and for a row of a list its number."""
        return self._place

    def fault(self, key: str, text: str) -> CatalogueError:
        """An error about what stands under ``key``."""
        return CatalogueError(f"{self._place}: {key}: {text}")


P = TypeVar("P", bound=Part)


class _Loader(yaml.CSafeLoader):
    """YAML in which a key that is given twice is an error; PyYAML takes the last without a word. Parsed in C: twenty times as quick."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen: set[str] = set()
        for key in (k for k, _ in node.value if isinstance(k, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value} is given twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _load_yaml(path: Path) -> Any:  # noqa: ANN401 - what YAML holds is only known once a model has read it
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a safe loader that is stricter
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as e:
        raise CatalogueError(f"{path.name}: {e}") from e


def _parse(where: str, model: type[P], value: Any) -> P:  # noqa: ANN401
    try:
        part = model.model_validate(value)
    except ValidationError as e:
        faults = "; ".join(f"{'.'.join(map(str, _key(x['loc'])))}: {x['msg']}" for x in e.errors())
        raise CatalogueError(f"{where}: {faults}") from e
    part._place = where  # noqa: SLF001 - pydantic keeps what is not data in private attributes
    return part


def _key(loc: tuple[str | int, ...]) -> list[str | int]:
    """Where the fault is in the file: pydantic puts the name of the pattern in between."""
    return [k for i, k in enumerate(loc) if not (i == 1 and loc[0] == "regel" and k in PATRONEN)]


def read(path: Path, model: type[P]) -> P:
    """A file as one part; raises CatalogueError."""
    return _parse(path.name, model, _load_yaml(path))


def read_list(path: Path, model: type[P]) -> list[P]:
    """A file as a list of parts; raises CatalogueError."""
    rows = _load_yaml(path)
    if not isinstance(rows, list):
        raise CatalogueError(f"{path.name}: a list is expected")
    return [_parse(f"{path.name}: {i}", model, row) for i, row in enumerate(rows)]


def by(key: str, parts: list[P]) -> dict[str, P]:
    """The parts by the value of ``key``, which has to be unique."""
    found: dict[str, P] = {}
    for part in parts:
        name = getattr(part, key)
        if name in found:
            raise CatalogueError(f"{part.place}: {key}: {name} is taken by {found[name].place}")
        found[name] = part
    return found
