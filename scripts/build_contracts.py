"""Compile contracts/src and write the artifacts that the package carries: defai/chain/abi/<Name>.json.

Usage: python scripts/build_contracts.py [--out DIRECTORY] [--check]

The compiler adds no metadata, so the same source gives the same bytes on every machine. Needs forge and solc of
contracts/package.json (`npm ci` with its development part); nothing else of the project does.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

CHECKOUT: Final = Path(__file__).resolve().parents[1]
CONTRACTS: Final = CHECKOUT / "contracts"
PACKAGED: Final = CHECKOUT / "defai" / "chain" / "abi"
EXPORTED_FOLDERS: Final = (CONTRACTS / "src", CONTRACTS / "src" / "standin")
"""Every file here holds one contract of its own name that is deployed; interfaces and libraries lie elsewhere."""
PARTS_OF_OTHERS: Final = frozenset({"TradingPolicy"})
"""Abstract contracts, which stand beside what they are a part of and are not deployed."""


class BuildError(Exception):
    """The contracts can't be built; the message says why."""


def find_forge() -> Path:
    """The forge that npm installed, else the one on PATH.

    Raises:
        BuildError: where forge, node or the compiler is missing.
    """
    missing = "is not installed: run `npm ci --ignore-scripts --legacy-peer-deps` in contracts/"
    if not (CONTRACTS / "node_modules" / "solc" / "package.json").is_file():
        raise BuildError(f"solc {missing}")
    if shutil.which("node") is None:
        raise BuildError("node, which runs the compiler, is not on PATH")
    for candidate in sorted(CONTRACTS.glob("node_modules/@foundry-rs/forge-*/bin/forge")):
        if candidate.is_file():
            return candidate
    on_path = shutil.which("forge")
    if on_path is None:
        raise BuildError(f"forge {missing}")
    return Path(on_path)


def compile_contracts() -> Path:
    """Run `forge build` on the sources alone; it compiles what has changed since it last did.

    Returns:
        The directory of its artifacts.

    Raises:
        BuildError: with the compiler's own words where it refuses the sources.
    """
    environment = {**os.environ, "FOUNDRY_PROFILE": "ship"}
    command = [str(find_forge()), "build", "src"]
    finished = subprocess.run(
        command, cwd=CONTRACTS, env=environment, capture_output=True, text=True, check=False
    )
    if finished.returncode != 0:
        raise BuildError(f"forge build failed:\n{finished.stdout}{finished.stderr}")
    return CONTRACTS / "out" / "ship"


def exported(artifacts: Path) -> Iterator[tuple[str, str]]:
    """Name and text of each artifact that the package carries, in the order of their names."""
    sources = sorted(source for folder in EXPORTED_FOLDERS for source in folder.glob("*.sol"))
    for source in sorted(sources, key=lambda path: path.stem):
        if source.stem in PARTS_OF_OTHERS:
            continue
        artifact: dict[str, Any] = json.loads((artifacts / source.name / f"{source.stem}.json").read_text())
        kept = {
            "abi": artifact["abi"],
            "bytecode": artifact["bytecode"]["object"],
            "deployedBytecode": artifact["deployedBytecode"]["object"],
        }
        yield f"{source.stem}.json", json.dumps(kept, indent=1) + "\n"


def main() -> int:
    """Write the artifacts, or with --check compare them with the ones that are there."""
    parser = argparse.ArgumentParser(description="Compile the contracts into package data.")
    parser.add_argument("--out", type=Path, default=PACKAGED, help="where the artifacts go")
    parser.add_argument("--check", action="store_true", help="write nothing, tell what differs")
    options = parser.parse_args()
    try:
        texts = dict(exported(compile_contracts()))
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if options.check:
        stale = [name for name, text in texts.items() if not _holds(options.out / name, text)]
        sys.stdout.write("".join(f"{name} is not what the sources give\n" for name in stale))
        return 1 if stale else 0
    options.out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (options.out / name).write_text(text)
    sys.stdout.write(f"{len(texts)} artifacts in {options.out}\n")
    return 0


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text() == text


if __name__ == "__main__":
    sys.exit(main())
