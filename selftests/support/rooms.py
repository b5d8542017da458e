# SPDX-License-Identifier: GPL-2.0-or-later
"""The rooms of the package, and their imports: `python -m selftests.support.rooms [--dot] [CHECKOUT]`.

A room is a folder or file directly below the package. It is one floor above the highest room that it imports. Imports
that go back up are the fewest whose removal leaves no cycle of rooms.
"""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import grimp

PACKAGE = "avocado_migdowntime"


def imports_of(package: str = PACKAGE) -> grimp.ImportGraph:
    """Every import of the package's modules, including those in functions and for types; nothing is executed."""
    return grimp.build_graph(package, include_external_packages=True, cache_dir=None)


def arrows(graph: grimp.ImportGraph, package: str = PACKAGE) -> dict[str, set[str]]:
    """For each room, those that it imports directly."""
    rooms = {module: room for room in graph.find_children(package) for module in _modules(graph, room)}
    below: dict[str, set[str]] = {room: set() for room in rooms.values()}
    for module, room in rooms.items():
        imported = graph.find_modules_directly_imported_by(module) & rooms.keys()
        below[room] |= {rooms[other] for other in imported} - {room}
    return below


def back_up(graph: grimp.ImportGraph, package: str = PACKAGE) -> list[tuple[str, str]]:
    """The imports that go back up, between rooms and, within each room, between its parts."""
    parents = [module for module in graph.modules if module.split(".")[0] == package and graph.find_children(module)]
    return sorted(arrow for parent in parents for arrow in graph.nominate_cycle_breakers(parent))


def floors(rooms: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The rooms of each floor, from the bottom; rooms must have no cycle."""
    height: dict[str, int] = {}

    def of(room: str) -> int:
        if room not in height:
            height[room] = max((of(below) + 1 for below in rooms[room]), default=0)
        return height[room]

    for room in rooms:
        of(room)
    return [sorted(r for r in rooms if height[r] == floor) for floor in range(max(height.values()) + 1)]


def crossings(
    graph: grimp.ImportGraph, floors_from_below: Sequence[Sequence[str]], package: str = PACKAGE
) -> list[tuple[str, str]]:
    """Pairs of a room and another that it reaches although that is above it or on the same floor."""
    layers = [grimp.Layer(*floor, independent=True) for floor in reversed(floors_from_below)]
    illegal = graph.find_illegal_dependencies_for_layers(layers, containers={package})
    return sorted((dependency.importer, dependency.imported) for dependency in illegal)


def _modules(graph: grimp.ImportGraph, room: str) -> set[str]:
    return {room} | graph.find_descendants(room)


def _picture(graph: grimp.ImportGraph) -> str:
    between = set(graph.nominate_cycle_breakers(PACKAGE))
    for importer, imported in between:
        graph.remove_import(importer=importer, imported=imported)
    rooms = {short(room): sorted(map(short, below)) for room, below in arrows(graph).items()}
    built = floors(rooms)
    lines = [f"{len(rooms)} rooms, {len(built)} floors, {len(between)} imports that run back up"]
    for number, floor in reversed(list(enumerate(built, 1))):
        lines += [f"{number:>3}  {room:<16} {', '.join(rooms[room])}".rstrip() for room in floor]
    return "\n".join([*lines, *(f"up   {short(importer)} → {short(imported)}" for importer, imported in between)])


def _dot(graph: grimp.ImportGraph) -> str:
    rooms = arrows(graph)
    edges = [f'  "{short(room)}" -> "{short(below)}";' for room in sorted(rooms) for below in sorted(rooms[room])]
    return "\n".join(["digraph rooms {", *edges, "}"])


def short(module: str) -> str:
    """Its name within the package."""
    return module.removeprefix(f"{PACKAGE}.")


def main() -> None:
    """Print the floors from the top with the imports of each room, or everything for graphviz."""
    parser = argparse.ArgumentParser(description="print the package's rooms, floors and imports that run back up")
    parser.add_argument("--dot", action="store_true", help="print it for `dot -Tsvg`")
    parser.add_argument("checkout", nargs="?", default=".", help="whose package (default: this one's)")
    arguments = parser.parse_args()
    if not Path(arguments.checkout, PACKAGE).is_dir():
        parser.error(f"{arguments.checkout!r} has no directory {PACKAGE}; give a checkout of this project")
    sys.path.insert(0, str(Path(arguments.checkout).resolve()))
    print((_dot if arguments.dot else _picture)(imports_of()))


if __name__ == "__main__":
    main()
