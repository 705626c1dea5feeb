"""How many mangled pastes are read without a traceback: ``python -m tests.measure_mutations COUNT [SEED]``.

Each of COUNT inputs is a paste of the tests after one to five accidents: cut, shuffled, joined, quoted, repeated,
with noise, binary rubbish or bait for backtracking inside.  All are read and every twentieth is judged as well.
Exit code 1 where one fails; it is printed with the number that makes it again.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback

from envcheck.judge import judge
from envcheck.read.paste import read_paste
from envcheck.read.symptoms import table
from envcheck.rules import QUESTIONS
from tests.read.pastes import PASTES

JUDGED_EVERY = 20
SLOW_S = 1.0
LONGEST = 60_000
"""Characters of a mutated input: how time grows with size is measured elsewhere."""
BAIT = (
    "undefined symbol: _Z" + "a" * 3000,
    "Unexpected error from cudaGetDeviceCount() " * 60,
    " " * 4000 + ":",
    "| " * 2000,
    "> " * 2000,
    "(" * 3000,
    "torch." * 1500,
    "0." * 2000,
    "\x1b[" * 1000,
    "&#x41;" * 500,
    "`" * 3000,
    "\ud800\udcff\x00\r\u2028",
)


def mutate(rng: random.Random, texts: list[str]) -> str:
    """One input."""
    lines = rng.choice(texts).split("\n")
    for _ in range(rng.randint(1, 5)):
        lines = accident(rng, lines, texts)
    return "\n".join(lines)[:LONGEST]


def accident(rng: random.Random, lines: list[str], texts: list[str]) -> list[str]:
    """What a paste goes through, once."""
    at = rng.randint(0, len(lines))
    kind = rng.randrange(11)
    if kind == 0:
        return lines[:at]
    if kind == 1:
        return lines[at:]
    if kind == 2:
        return rng.sample(lines, len(lines))
    if kind == 3:
        return [*lines[:at], rng.choice(BAIT), *lines[at:]]
    if kind == 4:
        noise = rng.randbytes(rng.randint(1, 200)).decode(rng.choice(("latin-1", "utf-16-le")), "replace")
        return [*lines[:at], noise, *lines[at:]]
    if kind == 5:
        return [rng.choice((" ", "\t", "\r", "<br>", "  ")).join(lines)]
    if kind == 6:
        mark = rng.choice(("> ", ">>", "    ", "| ", "# ", "* ", "\u2502 ")) * rng.randint(1, 12)
        return [mark + line for line in lines]
    if kind == 7:
        return lines + rng.choice(texts).split("\n")
    if kind == 8:
        return [line[: rng.randint(0, len(line))] for line in lines]
    if kind == 9:
        return [swapped(rng, line) for line in lines]
    return [line + "\r" for line in lines]


def swapped(rng: random.Random, line: str) -> str:
    """A line with one character replaced."""
    if not line:
        return line
    at = rng.randrange(len(line))
    return line[:at] + rng.choice("0:=.,|[]()'\"\\/+-_ \u00e9\u4e2d") + line[at + 1 :]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    options = parser.parse_args()
    texts = [text for text, _ in PASTES.values()] + [row.example for row in table()]
    failed, slowest, started = 0, 0.0, time.monotonic()
    for number in range(options.count):
        text = mutate(random.Random(options.seed * 1_000_000_007 + number), texts)
        before = time.process_time()
        try:
            snapshot = read_paste(text)
            took = time.process_time() - before
            slowest = max(slowest, took)
            if took > SLOW_S:
                raise TimeoutError(f"{took:.1f} s for {len(text)} characters")
            if number % JUDGED_EVERY == 0:
                crashed = [v.why for v in judge(snapshot, QUESTIONS).verdicts if v.outcome == "crashed"]
                if crashed:
                    raise RuntimeError(crashed[0])
        except Exception:  # any failure at all is what is looked for
            failed += 1
            sys.stdout.write(f"input {number} of seed {options.seed}:\n{traceback.format_exc()}\n")
        if (number + 1) % 10_000 == 0:
            sys.stdout.write(f"{number + 1} read, {failed} failed, {time.monotonic() - started:.0f} s\n")
            sys.stdout.flush()
    sys.stdout.write(f"{options.count} inputs, {failed} failed, the slowest took {slowest:.2f} s to read\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
