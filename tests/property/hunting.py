"""Shows that a property can fail: an error is planted, and the property must find it."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

Mutant = tuple[Any, str, Any]  # a module or class, what of it is replaced, and by what; a module also by its name
Property = tuple[Callable[..., None], tuple[Any, ...]]  # a test of Hypothesis, and what it draws


def found(monkeypatch: pytest.MonkeyPatch, mutant: Mutant, by: Property) -> None:
    """Fail when the property holds in spite of the mutant."""
    where, name, replacement = mutant
    prop, drawn = by
    hunt = settings(max_examples=6_000, phases=[Phase.generate], database=None, deadline=None, suppress_health_check=list(HealthCheck))
    hunted = hunt(given(*drawn)(prop.hypothesis.inner_test))  # type: ignore[attr-defined]
    if isinstance(where, str):
        monkeypatch.setattr(f"{where}.{name}", replacement)
    else:
        monkeypatch.setattr(where, name, replacement)
    with pytest.raises(AssertionError):
        hunted()
