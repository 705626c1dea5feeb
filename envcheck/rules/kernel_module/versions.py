"""Do the driver's libraries and its kernel module belong together?"""

from __future__ import annotations

from shlex import quote

from envcheck.judge import CannotTell, Case, Fix, Problem, Rule, Step, question
from envcheck.rules.hardware.consequences import CUDA
from envcheck.rules.hardware.machine import driver_packages, library_copies, narrowed, require_own_driver, tell

from .packages import package_tool

MISMATCH = 18  # NVML_ERROR_LIB_RM_VERSION_MISMATCH (nvml.h)
FOLLOWS = ("nvml-library-missing", "gpu-count-below-expected", "driver-too-old-for-torch", *CUDA)


class DriverLibraryVersionMismatch(Rule):
    """The driver's libraries and the loaded kernel module are of different versions.

    What it looks at
        NVML's return code 18, the version of libnvidia-ml.so and that of the loaded module; in a container whether the
        libraries come from the host or from the image.
    Why it matters
        The libraries were upgraded (often unattended) while the old module stays loaded.  Programs that run go on, no
        new one starts.
    How to mend it
        Restart; or stop everything that uses the GPU and load the module afresh.  In an image: remove the driver
        packages, the host's libraries are handed in.
    Cannot tell when
        NVML gave no answer.
    References
        NVML return code 18; NVIDIA open-gpu-kernel-modules, osapi.c ("API mismatch").
    """

    code, name, rung = "KMD109", "driver-library-version-mismatch", "kernel_module"
    explains = FOLLOWS

    @staticmethod
    def mend(case: Case) -> Fix:
        inside = case.maybe(lambda: case.known("/container/engine", str))
        if isinstance(inside, str):
            return Fix(
                title="Take the driver's libraries out of the image: the host's are handed in",
                steps=[
                    Step(where="env", tool="apt", command="dpkg -l | grep -E 'libnvidia-|nvidia-driver'"),
                    Step(
                        where="container_host",
                        note="remove those packages from the image and start the container again",
                    ),
                ],
                safety="careful",
                verify="nvidia-smi",
            )
        modules = "nvidia_drm nvidia_modeset nvidia_uvm nvidia"
        return Fix(
            title="Load the module that belongs to the libraries: restart",
            steps=[
                Step(where="host", command="sudo reboot", root=True, reboot=True),
                Step(
                    where="host",
                    command=f"sudo modprobe -r {modules} && sudo modprobe -a nvidia nvidia_uvm",
                    root=True,
                    note="instead, once the display manager, nvidia-persistenced and all GPU programs are stopped",
                ),
            ],
            safety="disruptive",
            verify="cat /sys/module/nvidia/version && nvidia-smi",
        )


class MixedDriverInstall(Rule):
    """Two driver versions are installed over one another.

    What it looks at
        The versions of libcuda.so and libnvidia-ml.so that the loader would find (compat folders, stubs and libraries
        of other architectures aside), and whether a .run installation stands beside driver packages.
    Why it matters
        Programs get the library of one version and the module of the other, and each upgrade makes it worse.
    How to mend it
        Remove the .run installation with its own uninstaller, purge the packages, install from one source.
    Cannot tell when
        The library folders or the package database could not be read.  Containers, WSL and Jetson are not judged.
    References
        NVIDIA driver installation guide, handle conflicting installation methods.
    """

    code, name, rung = "KMD110", "mixed-driver-install", "kernel_module"
    explains = ("driver-library-version-mismatch", *FOLLOWS)

    @staticmethod
    def mend(case: Case) -> Fix:
        packages = case.maybe(lambda: case.known("/host/driver_packages", list))
        names = [item.split("=")[0] for item in driver_packages(packages if isinstance(packages, list) else [])]
        purge = {"apt": "sudo apt-get purge", "dnf": "sudo dnf remove", "pacman": "sudo pacman -Rns"}
        steps = [
            Step(where="host", command="sudo nvidia-uninstall", root=True, note="where a .run installation is there")
        ]
        tool = package_tool(case)
        if names and tool in purge:
            listed = " ".join(quote(name) for name in names)
            steps.append(Step(where="host", tool=tool, command=f"{purge[tool]} {listed}", root=True))
        steps.append(Step(where="host", note="install the driver again, from one source, and restart"))
        return Fix(title="Remove both and install one driver", steps=steps, safety="disruptive", verify="nvidia-smi")


class CdiSpecStale(Rule):
    """The container device specification (CDI) describes another driver than the host runs.

    What it looks at
        On a host the driver versions named in /etc/cdi and /var/run/cdi against the loaded module; in a container
        NVML's return code 18 with libraries that were handed in.
    Why it matters
        The specification lists files by name: after a driver upgrade containers do not start, or get libraries that do
        not fit the module.
    How to mend it
        Let nvidia-cdi-refresh write it anew and delete the old copy in /etc/cdi; start the container again.
    Cannot tell when
        The specification could not be read.
    References
        NVIDIA Container Toolkit, CDI support.
    """

    code, name, rung = "CON121", "cdi-spec-stale", "device_nodes"
    explains = ("driver-library-version-mismatch", *FOLLOWS)

    @staticmethod
    def mend(case: Case) -> Fix:
        inside = isinstance(case.maybe(lambda: case.known("/container/engine", str)), str)
        where = "container_host" if inside else "host"
        return Fix(
            title="Write the specification anew and start the container again",
            steps=[
                Step(
                    where=where,
                    command="ls -l /etc/cdi /var/run/cdi",
                    note="a copy in /etc/cdi is never refreshed: delete it",
                ),
                Step(where=where, command="sudo systemctl restart nvidia-cdi-refresh.service", root=True),
                Step(
                    where=where,
                    command="sudo nvidia-ctk cdi generate --output=/var/run/cdi/nvidia.yaml",
                    root=True,
                    note="instead, where that service is not installed",
                ),
            ],
            safety="careful",
            verify="nvidia-ctk cdi list",
        )


@question("host", DriverLibraryVersionMismatch, MixedDriverInstall, CdiSpecStale)
def do_library_and_module_agree(case: Case) -> Problem | None:
    """NVML itself says that they do not; what stands around it says why."""
    require_own_driver(case)
    engine = case.known("/container/engine", str)
    differs = case.known("/nvml/init_code", int) == MISMATCH
    if engine is not None:
        return _in_container(case) if differs else None
    try:
        two = _two_versions(case)
    except CannotTell as why:
        if differs:
            raise narrowed(why, DriverLibraryVersionMismatch, MixedDriverInstall) from why
        raise narrowed(why, MixedDriverInstall, CdiSpecStale) from why
    if two:
        return case.problem(
            MixedDriverInstall,
            "two NVIDIA drivers are installed over one another",
            cause="a .run installation and packages, or two package sources, put their files side by side",
            evidence=tell(case, *two, "/nvml/init_code"),
            fix=MixedDriverInstall.mend(case),
            severity=None if differs else "warning",
        )
    if differs:
        return _mismatch(case, "the libraries were upgraded while the old kernel module stayed loaded")
    try:
        return _stale_spec(case)
    except CannotTell as why:
        raise narrowed(why, CdiSpecStale) from why


def _two_versions(case: Case) -> list[str]:
    """The pointers that show two drivers, none where there is one."""
    shown: list[str] = []
    for soname in ("libcuda.so.1", "libnvidia-ml.so.1"):
        pointers = [f"{pointer}/version" for pointer, _ in library_copies(case, soname)]
        found = {version for pointer in pointers if (version := case.known(pointer, str)) is not None}
        if len(found) > 1:
            shown += pointers
    if not shown and case.known("/driver/uninstaller", bool):
        packages = case.known("/host/driver_packages", list) or []
        if driver_packages(packages):
            shown = ["/driver/uninstaller", "/host/driver_packages"]
    return shown


def _in_container(case: Case) -> Problem:
    injected = case.known("/container/injected_libraries", list) or []
    copies = library_copies(case, "libnvidia-ml.so.1")
    places: set[str] = set()
    for pointer, library in copies[:1]:
        for path in (library.path, case.known(f"{pointer}/realpath", str) or library.path):
            places |= {path, path.rpartition("/")[0]}
    if not places.intersection(injected):
        return _mismatch(
            case, "the image brings driver libraries of its own, and the host's module is of another version"
        )
    return case.problem(
        CdiSpecStale,
        "the driver libraries that were handed to this container do not fit the host's kernel module",
        cause="they are those of another driver version: the host was upgraded after the specification was written or "
        "the container was started",
        evidence=tell(
            case, "/nvml/init_code", f"{copies[0][0]}/version", "/container/injected_libraries", "/driver/proc"
        ),
        fix=CdiSpecStale.mend(case),
    )


def _mismatch(case: Case, cause: str) -> Problem:
    copies = case.maybe(lambda: library_copies(case, "libnvidia-ml.so.1"))
    versions = [] if isinstance(copies, CannotTell) else [f"{pointer}/version" for pointer, _ in copies]
    library, module = _spoken(case, *versions), _spoken(case, "/driver/sys_module", "/driver/proc")
    return case.problem(
        DriverLibraryVersionMismatch,
        f"the driver's library ({library}) and the loaded kernel module ({module}) are of different versions",
        cause=cause,
        evidence=tell(case, "/nvml/init_code", *versions, "/driver/sys_module", "/driver/proc"),
        fix=DriverLibraryVersionMismatch.mend(case),
    )


def _spoken(case: Case, *pointers: str) -> str:
    for pointer in pointers:
        value = case.maybe(lambda pointer=pointer: case.known(pointer, str))  # type: ignore[misc]
        if isinstance(value, str):
            return value
    return "version not known"


def _stale_spec(case: Case) -> Problem | None:
    if not case.known("/container/cdi_specs", list):
        return None
    named = case.known("/container/cdi_driver_versions", list) or []
    loaded = case.first(str, "/driver/sys_module", "/driver/proc")
    if loaded is None or not named or named == [loaded]:
        return None
    return case.problem(
        CdiSpecStale,
        f"the CDI specification names driver {', '.join(named)}, and this host runs {loaded}",
        cause="the driver was upgraded after the specification was written, or an old copy lies beside the new one",
        evidence=tell(case, "/container/cdi_specs", "/container/cdi_driver_versions", "/driver/sys_module"),
        fix=CdiSpecStale.mend(case),
        severity="warning",
    )
