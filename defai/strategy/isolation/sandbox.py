"""What a process gives up before it runs somebody else's code, as far as the kernel lets it, and what is in force then.

Three of Linux's means, each asked for directly: a network namespace with nothing in it (user_namespaces(7)), Landlock
for files (landlock(7)), and a seccomp filter that refuses sockets, processes, signals and tracing (seccomp(2)). None of
them can be taken back by the process. Nothing here imports more than the standard library.
"""

import ctypes
import os
import resource
import struct
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

LIMIT_MEMORY: Final = 4 << 30
"""Address space; the interpreter with its libraries takes some hundreds of megabytes of it."""
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_NO_NEW_PRIVILEGES, _SET_SECCOMP_MODE_FILTER, _TSYNC = 38, 1, 1
_LANDLOCK: Final = (444, 445, 446)
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FILE_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many rights each version of Landlock knows; later ones know as many as the fifth."""
_EPERM, _ENOSYS, _ALLOW, _ERRNO = 1, 38, 0x7FFF0000, 0x00050000
_CLONE_THREAD: Final = 0x00010000
_X32: Final = 0x40000000
_CALLS: Final = {
    "x86_64": (
        0xC000003E,
        56,
        435,
        (
            *(41, 42, 43, 44, 46, 49, 50, 53, 288, 307),  # sockets
            *(57, 58, 59, 322),  # fork, vfork, execve, execveat
            *(62, 101, 129, 200, 234, 297, 310, 311, 424, 434, 438),  # signals, tracing, others' memory
            *(165, 166, 155, 161, 272, 308, 304, 321, 298, 323, 425, 426, 427, 246, 250, 248, 249, 175, 313),
        ),
    ),
    "aarch64": (
        0xC00000B7,
        220,
        435,
        (
            *(198, 203, 202, 206, 211, 200, 201, 199, 242, 269),
            *(221, 281),
            *(129, 117, 138, 130, 131, 240, 270, 271, 424, 434, 438),
            *(40, 39, 41, 51, 97, 268, 265, 280, 241, 282, 425, 426, 427, 104, 219, 217, 218, 105, 273),
        ),
    ),
}
"""By machine: its number for audits, clone, clone3, and the calls that are refused (mounts, namespaces, keys, bpf,
io_uring and modules last)."""


@dataclass(frozen=True, slots=True)
class InForce:
    """What protects from a process's code.

    Attributes:
        network: what keeps it off the network; empty where nothing does.
        files: what keeps it from files, the same.
        processes: what keeps it from making and reaching other processes, the same.
    """

    network: tuple[str, ...]
    files: tuple[str, ...]
    processes: tuple[str, ...]

    @property
    def lacks(self) -> tuple[str, ...]:
        """What nothing protects."""
        named = (("the network", self.network), ("files", self.files), ("other processes", self.processes))
        return tuple(name for name, means in named if not means)

    def __str__(self) -> str:
        """In words."""
        parts = (("network", self.network), ("files", self.files), ("processes", self.processes))
        return "; ".join(f"{name}: {', '.join(means) or 'nothing'}" for name, means in parts)


def shut(readable: Sequence[str]) -> InForce:
    """Give up what can be given up. It has to be called while the process has one thread.

    Args:
        readable: files, and folders with all below them, that may still be read; nothing can be written.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    _limit()
    namespaced = libc.unshare(_NEW_USER | _NEW_NET) == 0
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return InForce(("a network namespace",) * namespaced, (), ())
    version = _close_files(libc, readable)
    filtered = _filter_calls(libc)
    network = (("a network namespace",) if namespaced else ()) + (("seccomp",) if filtered else ())
    return InForce(network, (f"Landlock {version}",) if version else (), ("seccomp",) if filtered else ())


def _limit() -> None:
    for what, wanted in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_AS, LIMIT_MEMORY),
    ):
        _, hard = resource.getrlimit(what)
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(what, (most, most))


def _close_files(libc: ctypes.CDLL, readable: Iterable[str]) -> int:
    """Landlock's version; 0 where the kernel has none, or doesn't let us."""
    if not sys.platform.startswith("linux"):
        return 0
    create, add, restrict = _LANDLOCK
    version = libc.syscall(create, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return 0
    handled = (1 << _FILE_RIGHTS.get(version, 16)) - 1
    attributes = ctypes.create_string_buffer(struct.pack("Q", handled), 8)
    rules = libc.syscall(create, attributes, ctypes.c_size_t(8), 0)
    if rules < 0:
        return 0
    for path in readable:
        rights = _READ_FILE | _READ_DIR if os.path.isdir(path) else _READ_FILE  # noqa: PTH112  the standard library's least
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, place), 12)
        libc.syscall(add, rules, 1, rule, 0)
        os.close(place)
    done = libc.syscall(restrict, rules, 0) == 0
    os.close(rules)
    return version if done else 0


def _filter_calls(libc: ctypes.CDLL) -> bool:
    known = _CALLS.get(os.uname().machine)
    if known is None:
        return False
    audit, clone, clone3, refused = known
    steps = [_step(0x20, 0, 0, 4), _step(0x15, 1, 0, audit), _step(0x06, 0, 0, _ERRNO | _EPERM)]
    steps += [_step(0x20, 0, 0, 0), _step(0x35, 0, 1, _X32), _step(0x06, 0, 0, _ERRNO | _EPERM)]
    for number in refused:
        steps += [_step(0x15, 0, 1, number), _step(0x06, 0, 0, _ERRNO | _EPERM)]
    # glibc makes threads by clone where there is no clone3, whose flags a filter cannot see.
    steps += [_step(0x15, 0, 1, clone3), _step(0x06, 0, 0, _ERRNO | _ENOSYS)]
    steps += [_step(0x15, 0, 3, clone), _step(0x20, 0, 0, 16), _step(0x45, 1, 0, _CLONE_THREAD)]
    steps += [_step(0x06, 0, 0, _ERRNO | _EPERM), _step(0x06, 0, 0, _ALLOW)]
    program = b"".join(steps)
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
    wish = ctypes.create_string_buffer(header, len(header))
    seccomp = 317 if os.uname().machine == "x86_64" else 277
    return bool(libc.syscall(seccomp, _SET_SECCOMP_MODE_FILTER, _TSYNC, wish) == 0)


def _step(code: int, true: int, false: int, operand: int) -> bytes:
    """An instruction of the filter: load a word, compare, jump, return."""
    return struct.pack("HBBI", code, true, false, operand)
