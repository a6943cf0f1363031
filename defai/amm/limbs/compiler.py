"""Compiling the functions of this package with numba: at first use, once, kept on disk.

The modules beside this one import no compiler, so that importing them costs nothing and writes nothing.
`compiled_functions` makes a second set of functions from theirs, in which names lead to each other's compiled forms.
`compiled_beside` does so for modules of other floors that are written the same way.
"""

import hashlib
import importlib
import os
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final, cast

from defai.amm import tick_math
from defai.amm.limbs import word

_MODULES: Final = (
    "arrays",
    "batches",
    "division",
    "observe",
    "prices",
    "step",
    "ticks",
    "walk",
    "wide",
    "word",
)
_ENTRIES: Final = f"{__package__}.batches"
_INLINED_MODULES: Final = frozenset({"arrays", "bar_words", "observe", "walk", "wide", "word"})
_INLINED: Final = frozenset(
    {
        *("answer", "cached_ratio", "run_order"),
        *("reciprocal", "two_by_one", "three_by_two", "digit_by_three", "digit_by_five"),
        *("divide_by_three", "divide_by_normal_word", "tick_near", "_told_tick"),
        *("quotient_likely", "_short_quotient", "quotient_for_amount0"),
        *("price_after_amount1", "_checked_price"),
        *("less_fee", "token0_falls_short", "token0_suffices", "_sell_token0", "_sell_token1"),
        *("columns_mixed", "row_mixed", "left"),
    }
)
"""What is compiled into its callers, too: it is short, is called in one place, or is handed the whole pool."""

_SHORT: Final = frozenset({"forecast_span"})
"""Not worth letting other threads in meanwhile: to be let in again takes up to five milliseconds."""


def cache_directory(beside: tuple[str, ...] = ()) -> Path:
    """Where machine code is kept: NUMBA_CACHE_DIR if that is set, else the user's cache directory.

    A directory for every version of these sources, of numba and of Python, and every processor; numba itself would
    look no further than the file in which a function stands. Where the sources lie makes no difference: whoever has
    the same ones in another folder compiles nothing.
    """
    numba, binding = importlib.import_module("numba"), importlib.import_module("llvmlite.binding")
    digest = hashlib.sha256()
    sources = [Path(__file__), *(Path(str(module.__file__)) for module in (tick_math, *_modules(beside)))]
    for source in sources:
        digest.update(source.read_bytes())
    digest.update(repr((numba.__version__, sys.version, binding.get_host_cpu_name())).encode())
    return _cache_base() / digest.hexdigest()[:16]


@cache
def compiled_functions() -> dict[str, Callable[..., None]]:
    """The functions of `defai.amm.limbs.batches`, compiled when first called.

    Raises:
        ImportError: where numba can't be imported, or is told not to compile.
    """
    return _compiled((), _ENTRIES)


@cache
def compiled_beside(*modules: str) -> dict[str, Callable[..., None]]:
    """The functions of the last of these modules that return nothing and serve no other, compiled when first called.

    Args:
        modules: their whole names; they use each other's functions and those of this package.

    Raises:
        ImportError: as `compiled_functions`.
    """
    return _compiled(modules, modules[-1])


def _compiled(beside: tuple[str, ...], entries_of: str) -> dict[str, Callable[..., None]]:
    numba = importlib.import_module("numba")
    if numba.config.DISABLE_JIT:
        raise ImportError("NUMBA_DISABLE_JIT is set.")

    modules = _modules(beside)
    functions = [
        thing
        for module in modules
        for thing in vars(module).values()
        if isinstance(thing, FunctionType) and thing.__module__ == module.__name__
    ]
    namespaces = {module.__name__: dict(vars(module)) for module in modules}
    dispatchers: dict[FunctionType, Any] = dict(_instructions())
    for function in functions:
        if function not in dispatchers:
            twin = FunctionType(function.__code__, namespaces[function.__module__], function.__name__)
            module = function.__module__.rpartition(".")[2]
            inline = module in _INLINED_MODULES or function.__name__ in _INLINED
            alone = function.__name__ not in _SHORT
            dispatchers[function] = numba.njit(
                twin, nogil=alone, error_model="numpy", forceinline=inline, _nrt=False
            )
    for namespace in namespaces.values():
        for name, thing in namespace.items():
            if isinstance(thing, FunctionType) and thing in dispatchers:
                namespace[name] = dispatchers[thing]
    # What serves another has its machine code within that one's: none of its own is ever kept.
    serving = {name for function in functions for name in function.__code__.co_names}
    entries = {
        function.__name__: dispatchers[function]
        for function in functions
        if function.__module__ == entries_of and function.__annotations__["return"] is None
        if function.__name__ not in serving
    }
    directory = _made_cache_directory(beside)
    file = entries_of.rpartition(".")[2]
    return {name: _Entry(file, name, dispatcher, directory) for name, dispatcher in entries.items()}


def machine_code(function: Callable[..., None], *arguments: object) -> Callable[..., None]:
    """What a function of `compiled_beside` is compiled to, which takes what it is handed for what it was compiled for.

    It saves half of what a short call takes. Handed anything but arrays of these arguments' kinds, it would take their
    bytes for something else.

    Args:
        function: which; it is called once.
        arguments: what it is always given.
    """
    function(*arguments)
    (compiled,) = cast("_Entry", function).dispatcher.overloads.values()
    return cast("Callable[..., None]", compiled.entry_point)


def is_compiled(beside: tuple[str, ...]) -> bool:
    """Whether machine code of what `compiled_beside` gives is at hand, all of it.

    Raises:
        ImportError: as `compiled_functions`.
    """
    return all(entry.is_kept() for entry in cast("dict[str, _Entry]", compiled_beside(*beside)).values())


def is_loaded() -> bool:
    """Whether this process has the compiler at hand already."""
    return compiled_functions.cache_info().currsize > 0


def is_running() -> bool:
    """Whether this process has loaded the compiler itself, for whatever: that takes longest of all loading."""
    return "numba" in sys.modules


class _Entry:
    """A function that says so on stderr if it has to be compiled at its first call.

    Attributes:
        dispatcher: numba's own.
    """

    def __init__(self, file: str, name: str, dispatcher: Any, directory: Path | None) -> None:  # noqa: ANN401  numba's own
        self._name = name
        self._pattern = f"{file}.{name}-*.nbc"
        self.dispatcher = dispatcher
        self._directory = directory
        self._ready = False

    def __call__(self, *arguments: object) -> None:
        if self._ready:
            self.dispatcher(*arguments)
            return
        known = self._remember()
        started = time.perf_counter()
        if not known:
            _say(f"compiling the AMM kernel ({self._name}); this happens once ...")
        self.dispatcher(*arguments)
        if not known:
            seconds = time.perf_counter() - started
            kept = (
                f"kept in {self._directory}"
                if self._directory
                else "not kept: its directory can't be written"
            )
            _say(f"compiled in {seconds:.1f} s, {kept}.")
        self._ready = True

    def is_kept(self) -> bool:
        """Whether it need not be compiled any more."""
        kept = self._directory is not None and any(self._directory.glob(self._pattern))
        return self._ready or kept

    def _remember(self) -> bool:
        """Let the machine code be kept; whether some was kept before."""
        if self._directory is None:
            return False
        config: Any = importlib.import_module("numba.core.config")
        before = config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES
        config.CACHE_DIR = str(self._directory)
        config.CACHE_LOCATOR_CLASSES = f"{__name__}.{Place.__name__}"
        try:
            self.dispatcher.enable_caching()
        finally:
            config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES = before
        return any(self._directory.glob(self._pattern))


class Place:
    """Where numba keeps a function's machine code: a numba cache locator.

    numba's own puts it under a hash of the folder that the source lies in, so that every checkout would compile anew.
    The directory's name has a hash of the sources in it, so that it is all the stamp there has to be.
    """

    def __init__(self, directory: str, line: int) -> None:
        self._directory = directory
        self._line = line

    @classmethod
    def from_function(cls, function: FunctionType, _file: str) -> "Place":
        """The place of a function, in the directory that numba is told of at the moment."""
        config: Any = importlib.import_module("numba.core.config")
        return cls(config.CACHE_DIR, function.__code__.co_firstlineno)

    def ensure_cache_path(self) -> None:
        """See that there is a directory."""
        Path(self._directory).mkdir(parents=True, exist_ok=True)

    def get_cache_path(self) -> str:
        """The directory."""
        return self._directory

    def get_source_stamp(self) -> str:
        """What tells these sources from others."""
        return Path(self._directory).name

    def get_disambiguator(self) -> str:
        """What tells a function from others of its name in a module of the same name."""
        return str(self._line)


def _say(sentence: str) -> None:
    sys.stderr.write(f"defai: {sentence}\n")
    sys.stderr.flush()


def _modules(beside: tuple[str, ...]) -> list[ModuleType]:
    names = (*(f"{__package__}.{name}" for name in _MODULES), *beside)
    return [importlib.import_module(name) for name in names]


def _cache_base() -> Path:
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return Path(chosen)
    from platformdirs import user_cache_path  # noqa: PLC0415  only wanted here

    return user_cache_path("defai", appauthor=False) / "kernel"


def _made_cache_directory(beside: tuple[str, ...]) -> Path | None:
    directory = cache_directory(beside)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return directory if os.access(directory, os.W_OK) else None


def _instructions() -> dict[FunctionType, Any]:
    """The two functions for which a processor has an instruction that numba doesn't know."""
    ir, types = importlib.import_module("llvmlite.ir"), importlib.import_module("numba.core.types")
    intrinsic = importlib.import_module("numba.extending").intrinsic

    def mul_high(_context: Any, _a: Any, _b: Any) -> Any:  # noqa: ANN401  numba's own
        def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401  numba's own
            wide = ir.IntType(128)
            product = builder.mul(*(builder.zext(argument, wide) for argument in arguments))
            return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

        return types.uint64(types.uint64, types.uint64), emit

    def leading_zeros(_context: Any, _a: Any) -> Any:  # noqa: ANN401  numba's own
        def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401  numba's own
            return builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))

        return types.uint64(types.uint64), emit

    return {
        cast("FunctionType", word.mul_high): intrinsic(mul_high),
        cast("FunctionType", word.leading_zeros): intrinsic(leading_zeros),
    }
