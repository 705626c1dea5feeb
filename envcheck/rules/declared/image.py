"""Do the base image and what its lines set go with the torch that is installed into it?"""

from __future__ import annotations

import re

from envcheck.compat.driver import cuda_level_of_driver, driver_branch, driver_floor, forward_compat
from envcheck.compat.version import key, split_local
from envcheck.facts import DeclaredEnvironment, DeclaredImage, DeclaredVariable, Gpu
from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.rules import plan
from envcheck.rules.torch_build import remedy

HIDING = {
    "CUDA_VISIBLE_DEVICES": re.compile(r"(-1|none|NoDevFiles)?", re.IGNORECASE),
    "NVIDIA_VISIBLE_DEVICES": re.compile(r"void|none"),
    "NVIDIA_DRIVER_CAPABILITIES": re.compile(r"(?!.*(all|compute)).*"),
}
"""Variables of an image that keep CUDA programs from the GPU → the values that do."""


class ImageCudaDiffers(Rule):
    """The base image carries another CUDA major version than the torch that is installed into it.

    What it looks at
        The CUDA in the name of the base image, the CUDA of the torch wheel, and whether a package is compiled
        against torch there.
    Why it matters
        torch brings its own CUDA libraries, so it runs; but a wheel of a higher major version needs a newer driver
        than the image does, and an extension that is compiled with the image's nvcc is refused: "The detected CUDA
        version mismatches the version that was used to compile PyTorch".
    How to mend it
        Take a base image of the wheel's CUDA, or a wheel of the image's.
    Cannot tell when
        The image's name does not tell its CUDA, or it is not known which build of torch comes.
    References
        torch/utils/cpp_extension.py, _check_cuda_version; CUDA Compatibility guide; NVIDIA container images, tags.
    """

    code, name, rung = "LNT105", "image-cuda-differs", "cuda_libraries"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        env = remedy.env_of(case)
        cuda = remedy.fact(case, f"{env}/torch/cuda") if env is not None else None
        wanted = f"an image of CUDA {cuda}" if isinstance(cuda, str) else "an image of torch's CUDA"
        note = f"{_image_place(case)}: {wanted}, or ask for a torch of the image's CUDA"
        return Fix(title="Let image and torch agree", steps=[Step(where=plan.FILE_STEP, note=note)])


class ImageNeedsNewerDriver(Rule):
    """The base image asks for a newer driver than the one that is named.

    What it looks at
        The CUDA in the name of the base image (its NVIDIA_REQUIRE_CUDA), and the CUDA level of the driver.
    Why it matters
        NVIDIA's container hook refuses to start it: "unsatisfied condition: cuda>=12.8".  Newer toolkits in CDI mode
        start it without asking.
    How to mend it
        Take a base image of a CUDA that the driver has; the wheel brings its own libraries.
    Cannot tell when
        No driver is named, or the image's name does not tell its CUDA.
    References
        NVIDIA Container Toolkit, NVIDIA_REQUIRE_* constraints; CUDA release notes, driver versions.
    """

    code, name, rung = "LNT106", "image-needs-newer-driver", "device_nodes"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        driver = remedy.fact(case, "/driver/pasted")
        level = cuda_level_of_driver(driver) if isinstance(driver, str) else None
        cuda = f"CUDA {level} or older" if isinstance(level, str) else "an older CUDA"
        note = f"{_image_place(case)}: an image of {cuda}"
        return Fix(title="Take an image for this driver", steps=[Step(where=plan.FILE_STEP, note=note)])


class CompatLibrariesOnPath(Rule):
    """The image puts CUDA's forward-compatibility libraries first, where they cannot work.

    What it looks at
        An LD_LIBRARY_PATH of the image with a compat folder, the card, and the driver's branch.
    Why it matters
        On a GeForce card CUDA ends in error 804, on a driver newer than the package in error 803, although the
        driver alone would do.
    How to mend it
        Leave the compat folder out of LD_LIBRARY_PATH: the container toolkit adds it where it helps.
    Cannot tell when
        Neither card nor driver is named.
    References
        CUDA Compatibility guide, forward compatibility; CUDA Runtime API, errors 803 and 804.
    """

    code, name, rung = "LNT107", "compat-libraries-on-path", "cuda_driver"

    @staticmethod
    def mend(case: Case) -> Fix:
        note = "leave the compat folder out of LD_LIBRARY_PATH"
        return Fix(title="Leave the compat libraries out", steps=[Step(where=plan.FILE_STEP, note=note)])


class ImageHidesGpu(Rule):
    """The image sets a variable that keeps every program in it from the GPU.

    What it looks at
        CUDA_VISIBLE_DEVICES, NVIDIA_VISIBLE_DEVICES and NVIDIA_DRIVER_CAPABILITIES of the image, beside a torch that
        is built for CUDA.
    Why it matters
        torch.cuda.is_available() is False in every container of the image that does not set them anew.
    How to mend it
        Remove the line; NVIDIA_DRIVER_CAPABILITIES needs "compute,utility".
    Cannot tell when
        It is not known whether the torch that comes is built for CUDA.
    References
        CUDA C++ programming guide, environment variables; NVIDIA Container Toolkit documentation.
    """

    code, name, rung = "LNT108", "image-hides-gpu", "device_nodes"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        variables = plan.read(case).variables
        named = [v.place for v in (variables if isinstance(variables, list) else []) if v.name in HIDING]
        place = named[-1] if named else "the Dockerfile"
        return Fix(title="Remove the variable", steps=[Step(where=plan.FILE_STEP, note=f"{place}: remove this line")])


class ImageTorchReplaced(Rule):
    """The base image already has a torch, and the files install another one over it.

    What it looks at
        The torch in the name of the base image, and the release that the files ask for.
    Why it matters
        The image carries both: several GB more, and what was compiled against the first one may fail.
    How to mend it
        Ask for the image's torch, or take an image without torch.
    Cannot tell when
        The image's name does not tell its torch.
    References
        pytorch/pytorch image tags.
    """

    code, name, rung = "LNT109", "image-torch-replaced", "torch_build"
    severity = "note"

    @staticmethod
    def mend(case: Case) -> Fix:
        note = f"{_image_place(case)}: an image without torch, or the requirement that the image meets"
        return Fix(title="Install torch once", steps=[Step(where=plan.FILE_STEP, note=note)])


@question("env", ImageCudaDiffers)
def does_the_image_go_with_torch(case: Case) -> Problem | None:
    """Major versions of CUDA; minors of one major go together."""
    here, environment, image = _image(case)
    theirs = case.present(f"{here}/image/cuda", str)
    ours = case.present(f"{case.at('env')}/torch/cuda", str)
    if isinstance(image.torch, str) or key(theirs)[0] == key(ours)[0]:
        return None
    builds = environment.builds if isinstance(environment.builds, list) else []
    compiled = [package.name for package in builds] if image.flavour == "devel" else []
    higher = key(ours)[0] > key(theirs)[0]
    if compiled:
        cause = f"{', '.join(compiled)} would be compiled with nvcc {theirs} against a torch of CUDA {ours}"
    elif higher:
        floor = driver_floor(ours)
        cause = f"the wheel needs driver {floor}, whatever the image is content with"
    else:
        cause = "the wheel brings its own CUDA; the image's is not used"
    return case.problem(
        ImageCudaDiffers,
        f"the base image has CUDA {theirs}, and torch comes built with CUDA {ours}",
        cause=cause,
        evidence=[
            f"{here}/image/cuda",
            f"{case.at('env')}/torch/version",
            *[f"{here}/builds/{i}/name" for i in range(len(compiled))],
        ],
        fix=ImageCudaDiffers.mend(case),
        severity="error" if compiled else None if higher else "note",
    )


@question("env", ImageNeedsNewerDriver)
def does_the_driver_satisfy_the_image(case: Case) -> Problem | None:
    """NVIDIA_REQUIRE_CUDA of the image against the driver's level."""
    here, _, _ = _image(case)
    theirs = case.present(f"{here}/image/cuda", str)
    driver = case.present("/driver/pasted", str)
    level = _level(case)
    if level is None or key(level) >= key(theirs):
        return None
    return case.problem(
        ImageNeedsNewerDriver,
        f"the base image asks for CUDA {theirs}, and driver {driver} has CUDA {level}",
        cause="images of nvidia/cuda carry the constraint cuda>=X of their own version",
        evidence=[f"{here}/image/name", "/driver/pasted"],
        fix=ImageNeedsNewerDriver.mend(case),
    )


@question("env", CompatLibrariesOnPath)
def are_the_compat_libraries_in_the_way(case: Case) -> Problem | None:
    """LD_LIBRARY_PATH of the image, the card, the driver's branch."""
    here, environment, image = _image(case)
    last = [(p, v) for p, v in case.records(f"{here}/variables", DeclaredVariable) if v.name == "LD_LIBRARY_PATH"]
    if not last or "compat" not in last[-1][1].value:
        return None
    pointer = f"{last[-1][0]}/value"
    names = [f"{p}/name" for p, _ in case.records("/smi/gpus", Gpu)]
    geforce = [name for name in names if "geforce" in case.present(name, str).lower()]
    if geforce:
        return _compat(case, "GeForce cards do not support forward compatibility", [pointer, geforce[0]])
    driver = case.present("/driver/pasted", str)
    branch = driver_branch(driver)
    packages = environment.system_packages if isinstance(environment.system_packages, list) else []
    named = [name for name in packages if re.fullmatch(r"cuda-compat-\d+-\d+", name)]
    cuda = image.cuda if isinstance(image.cuda, str) else ""
    package = named[-1] if named else f"cuda-compat-{cuda.replace('.', '-')}"
    if isinstance(branch, int) and forward_compat(package, branch) == "no":
        return _compat(case, f"{package} is older than driver {driver}", [pointer, "/driver/pasted"])
    return None


@question("env", ImageHidesGpu)
def does_the_image_leave_the_gpu_in_sight(case: Case) -> Problem | None:
    """The last value of each variable counts."""
    case.present(f"{case.at('env')}/torch/cuda", str)
    found = _hiding(case)
    if found is None:
        return None
    pointer, variable = found
    shown = variable.value or "(empty)"
    return case.problem(
        ImageHidesGpu,
        f"the image sets {variable.name}={shown}: no program in it sees a GPU",
        cause="the variable stays set in every container of the image",
        evidence=[f"{pointer}/value", f"{case.at('env')}/torch/version"],
        fix=ImageHidesGpu.mend(case),
    )


@question("env", ImageTorchReplaced)
def is_the_torch_of_the_image_kept(case: Case) -> Problem | None:
    """The release in the image's name against the one that is asked for."""
    here, _, image = _image(case)
    theirs = case.present(f"{here}/image/torch", str)
    found = plan.package_of(case, "torch") or plan.package_of(case, "torchvision")
    if found is None:
        return None
    pointer, package = found
    full = case.present(f"{case.at('env')}/torch/version", str)
    if not package.wanted or split_local(full)[0] == theirs:
        return None
    return case.problem(
        ImageTorchReplaced,
        f"{image.name} has torch {theirs}, and torch {full} is installed over it",
        cause="the requirement is not met by the image's torch",
        evidence=[f"{here}/image/torch", f"{pointer}/wanted"],
        fix=ImageTorchReplaced.mend(case),
    )


def _image(case: Case) -> tuple[str, DeclaredEnvironment, DeclaredImage]:
    here, environment = plan.declaration(case)
    if environment.image is None:
        raise NotApplicable("no base image is named")
    return here, environment, environment.image


def _image_place(case: Case) -> str:
    image = plan.read(case).image
    return image.place if image is not None else "the Dockerfile"


def _level(case: Case) -> str | None:
    level = cuda_level_of_driver(case.present("/driver/pasted", str))
    return level if isinstance(level, str) else None


def _hiding(case: Case) -> tuple[str, DeclaredVariable] | None:
    here, _, _ = _image(case)
    last = {v.name: (p, v) for p, v in case.records(f"{here}/variables", DeclaredVariable)}
    return next((last[n] for n, hides in HIDING.items() if n in last and hides.fullmatch(last[n][1].value)), None)


def _compat(case: Case, cause: str, evidence: list[str]) -> Problem:
    return case.problem(
        CompatLibrariesOnPath,
        "the image puts a forward-compatibility libcuda first, and it cannot work here",
        cause=cause,
        evidence=evidence,
        fix=CompatLibrariesOnPath.mend(case),
    )
