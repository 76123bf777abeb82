"""Builds the native core when the project is installed. Where it cannot be built the install goes on: the pure Python does its work."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))

from streams.native.build import BuildError, build


class NativeCore(BuildHookInterface[Any]):
    """Adds the library to the wheel; of an editable install it stands among the sources."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Compile."""
        try:
            library = build()
        except BuildError as e:
            self.app.display_warning(f"no native core, the pure Python will run: {e}")
            return
        build_data["artifacts"].append(str(library.relative_to(Path(self.root))))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
