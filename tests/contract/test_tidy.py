"""The code keeps the house rules: small, pure where it says so, and with arrows that go one way."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "streams", "connectors", "samenloop", "bench")
MODULES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))
PURE = [*sorted((ROOT / "streams" / "core").glob("*.py")), ROOT / "streams" / "fold.py"]
IMPURE = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "uuid1", "uuid4", "random", "urandom", "open", "print", "getenv"}


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_every_function_fits_on_a_screen() -> None:
    long = {f"{p.relative_to(ROOT)}:{f.name}": f.end_lineno - f.lineno + 1 for p in MODULES for f in functions(p) if f.end_lineno}
    assert {name: n for name, n in long.items() if n > 40} == {}


def test_every_file_has_one_subject_and_says_which() -> None:
    for path in MODULES:
        source = path.read_text()
        assert len(source.splitlines()) <= 400, path
        purpose = ast.get_docstring(ast.parse(source))
        assert purpose, f"{path} does not say what it is for"


def test_every_file_of_the_native_core_has_one_subject_and_says_which() -> None:
    for path in sorted(p for p in (ROOT / "streams" / "native").iterdir() if p.suffix in {".h", ".cpp"}):
        lines = path.read_text().splitlines()
        assert len(lines) <= 400, path
        assert lines[0].startswith("// "), f"{path} does not say what it is for"
        assert max(map(len, lines)) <= 140, path


@pytest.mark.parametrize("path", PURE, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_core_reads_no_clock_no_randomness_and_does_no_io(path: Path) -> None:
    called = {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
    }
    assert not called & IMPURE


def tracked() -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines() if name != "uv.lock"]


def test_nothing_names_a_place_of_one_machine_or_a_registry() -> None:
    registries = (r"py" + r"pi\.org", r"python" + r"hosted", r"maven" + r"\.org", r"npm" + r"js\.")
    forbidden = re.compile("|".join(("/ro" + "ot/", "/ho" + r"me/(?!samenloop)\w+", *registries)))
    for path in tracked():
        if path.is_file() and path.suffix not in {".png", ".avro"}:
            found = forbidden.search(path.read_text(errors="replace"))
            assert not found, f"{path.relative_to(ROOT)}: {found and found.group()}"


def test_every_client_is_made_with_the_security_of_its_brokers() -> None:
    product = [p for p in MODULES if not p.is_relative_to(ROOT / "bench")]
    assert [p.name for p in product if "bootstrap_servers" in p.read_text()] == ["brokers.py"]


def test_nothing_is_left_to_do_later() -> None:
    marks = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")
    assert [p for p in MODULES if marks.search(p.read_text())] == []


def lint_imports(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=folder, env={"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=False)


BREACHES = [
    ("streams.engine", "from connectors.broker import embedded", "connectors.broker.embedded"),
    ("connectors.bronnen.bsn", "from streams import fold", "streams.fold"),
    ("schemas.values", "import streams", "streams"),
    ("streams.core.rules", "import time", "time"),
    ("streams.core.step", "import aiokafka", "aiokafka"),
    ("streams.audit.recompute", "from schemas import codec", "schemas.codec"),
]


def test_planted_imports_break_the_contracts(tmp_path: Path) -> None:
    for package in ("schemas", "streams", "connectors", "samenloop"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    whole = lint_imports(tmp_path)
    assert whole.returncode == 0, whole.stdout
    for module, breach, _ in BREACHES:
        path = tmp_path / f"{module.replace('.', '/')}.py"
        path.write_text(f"{path.read_text()}\n{breach}\n")
    broken = lint_imports(tmp_path)
    assert broken.returncode == 1
    for module, _, imported in BREACHES:
        assert f"{module} -> {imported} (l." in broken.stdout
