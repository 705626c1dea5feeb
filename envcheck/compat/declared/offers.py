"""Where a package may come from: the indexes that its installer asks, and how it chooses among them."""

from __future__ import annotations

from dataclasses import dataclass

from envcheck.facts import DeclaredEnvironment, DeclaredIndex, DeclaredPackage

from .indexes import Kind, meaning


@dataclass(frozen=True)
class Offer:
    """One index: what it is for torch, the build variant that it holds ("": several or the default), its line."""

    kind: Kind
    variant: str = ""
    place: str = ""


@dataclass(frozen=True)
class Offers:
    """The indexes that are asked for one package.

    ``first``: the first that has the package at all decides (uv, poetry).  Otherwise the highest version of all does
    (pip), and of equal versions the one with the larger local part.
    """

    items: tuple[Offer, ...]
    first: bool

    @property
    def variants(self) -> list[str]:
        """The builds that have an index of their own here."""
        return [offer.variant for offer in self.items if offer.kind == "variant"]

    @property
    def default(self) -> bool:
        """Is the default index, or a copy of it, among them?"""
        return any(offer.kind == "default" for offer in self.items)

    @property
    def clear(self) -> bool:
        """Is it known of every index what it holds?"""
        return all(offer.kind in ("variant", "default") for offer in self.items)


def offers_of(environment: DeclaredEnvironment, package: DeclaredPackage) -> Offers:
    """The indexes that are asked for a package of the environment, in the order of asking."""
    first = environment.tool in ("uv", "poetry")
    if isinstance(package.index, str):
        bound = DeclaredIndex(url=package.index, kind="index", file=package.file, line=package.line)
        return Offers((_offer(bound),), first)
    if environment.lock:
        return Offers((Offer("default"),), first)  # a lock names every other index with the package
    listed = environment.indexes if isinstance(environment.indexes, list) else []
    asked = [index for index in listed if index.scope in ("", package.scope)]
    backend = [index for index in asked if index.kind == "backend"]
    if backend:
        return Offers((_offer(backend[-1]),), first)
    instead = [index for index in asked if index.kind == "index"]
    beside = [_offer(index) for index in asked if index.kind in ("extra", "links")]
    base = [_offer(instead[-1])] if instead else []
    if not instead and not any(index.kind == "none" for index in asked):
        base = [Offer("default")]
    return Offers((*beside, *base), first)


def _offer(index: DeclaredIndex) -> Offer:
    kind, variant = meaning(index)
    return Offer(kind, variant, index.place)
