"""Do the indexes give the torch that they are named for?"""

from __future__ import annotations

from envcheck.compat import table
from envcheck.compat.declared.indexes import meaning
from envcheck.compat.declared.offers import Offers, offers_of
from envcheck.compat.declared.wanted import exact
from envcheck.compat.rows import TorchBuild
from envcheck.compat.version import cuda_of, key, split_local
from envcheck.facts import DeclaredIndex
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, question
from envcheck.rules import plan


class TorchExtraIndexMixup(Rule):
    """An index of one CUDA build is named as an extra one, and another build of torch comes all the same.

    What it looks at
        --extra-index-url with PyTorch's index of one build, and which release and build pip takes then: of all
        indexes together the highest version, and of equal versions the one with a build in its name.
    Why it matters
        A newer release on the default index wins over the build that was meant: another CUDA, perhaps one that the
        driver does not run.
    How to mend it
        Name PyTorch's index with --index-url for torch alone, or pin a release that the index has.
    Cannot tell when
        The files name an index whose contents are not known.
    References
        pip documentation, --extra-index-url; PyTorch, Get Started; uv documentation, PyTorch guide.
    """

    code, name, rung = "LNT103", "torch-extra-index-mixup", "torch_build"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        indexes = plan.read(case).indexes
        named = [meaning(index)[1] for index in (indexes if isinstance(indexes, list) else [])]
        variant = next(filter(None, named), "cuXXX")
        text = f"--index-url {plan.index_line(variant)} in place of the extra index, in a step of its own for torch"
        return Fix(title="Take torch from its own index alone", steps=[plan.write(case, "torch", text)])


class TorchIndexUnknown(Rule):
    """The files name a PyTorch index for a CUDA version that torch was never built for.

    What it looks at
        The last part of the index's address (cu127) against the builds of all releases.
    Why it matters
        The index does not exist, so the installation fails, or takes a build from the default index.
    How to mend it
        Name an index that exists for the release.
    Cannot tell when
        The CUDA version is newer than the table.
    References
        PyTorch, Get Started and previous versions.
    """

    code, name, rung = "LNT104", "torch-index-unknown", "torch_build"
    explains = ("declared-wheel-missing", "declared-build-without-index", "torch-extra-index-mixup")

    @staticmethod
    def mend(case: Case) -> Fix:
        newest = max(_variants(), key=lambda variant: key(cuda_of(variant) or "0"))
        text = f"an index that exists, {plan.index_line(newest)} being the newest"
        return Fix(title="Name an index that exists", steps=[plan.write(case, "torch", text)])


@question("env", TorchIndexUnknown)
def do_the_named_indexes_exist(case: Case) -> Problem | None:
    """Every index that is named for one CUDA build."""
    here, environment = plan.declaration(case)
    newest = max(key(cuda_of(variant) or "0") for variant in _variants())
    seen = case.records(f"{here}/indexes", DeclaredIndex)
    bound = plan.package_of(case, "torch")
    if bound is not None and isinstance(bound[1].index, str):
        seen = [*seen, (bound[0], DeclaredIndex(url=bound[1].index, kind="index"))]
    if not seen:
        raise NotApplicable(f"{environment.name} names no index")
    for pointer, index in seen:
        kind, variant = meaning(index)
        cuda = cuda_of(variant)
        if kind != "variant" or cuda is None or variant in _variants():
            continue
        if key(cuda) > newest:
            raise CannotTell(f"CUDA {cuda} is newer than the table", pointer)
        return case.problem(
            TorchIndexUnknown,
            f"torch was never built for CUDA {cuda}: there is no index {variant}",
            cause="the address names a CUDA version that no release of torch was built with",
            evidence=[f"{pointer}/{'index' if pointer == (bound or ('',))[0] else 'url'}"],
            fix=TorchIndexUnknown.mend(case),
        )
    return None


@question("env", TorchExtraIndexMixup)
def does_the_extra_index_give_its_build(case: Case) -> Problem | None:
    """What pip takes, against what the extra index is named for."""
    here, environment = plan.declaration(case)
    offers = _offers(case)
    if offers.first:
        raise NotApplicable(f"{environment.tool} takes the first index that has the package")
    if not offers.variants or not offers.default:
        raise NotApplicable("there is no index of one build beside the default one")
    found = plan.package_of(case, "torch")
    assert found is not None
    pointer, package = found
    if split_local(exact(package.wanted) or "")[1] is not None:
        raise NotApplicable("the build stands in the version")
    full = case.present(f"{case.at('env')}/torch/version", str)
    public, variant = split_local(full)
    if variant is None:
        raise CannotTell("which build comes is not known", f"{case.at('env')}/torch/version")
    if variant in offers.variants:
        return None
    meant = " or ".join(dict.fromkeys(offers.variants))
    pinned = exact(package.wanted)
    why = f"that index has no {public}" if pinned else f"the default index has the newer release {public}"
    indexes = [p for p, i in case.records(f"{here}/indexes", DeclaredIndex) if meaning(i)[1] in offers.variants]
    return case.problem(
        TorchExtraIndexMixup,
        f"the extra index is for {meant}, and pip takes torch {full} from the default index",
        cause=f"with an extra index pip takes the highest version of all indexes; {why}",
        evidence=[f"{pointer}/wanted", f"{indexes[0]}/url", f"{case.at('env')}/torch/version"],
        fix=TorchExtraIndexMixup.mend(case),
    )


def _offers(case: Case) -> Offers:
    _, environment = plan.declaration(case)
    found = plan.package_of(case, "torch")
    if found is None or found[1].manager == "conda" or environment.lock or isinstance(found[1].url, str):
        raise NotApplicable("no index is asked for torch")
    return offers_of(environment, found[1])


def _variants() -> set[str]:
    return {row.variant for row in table.rows("torch_builds", TorchBuild) if cuda_of(row.variant) is not None}
