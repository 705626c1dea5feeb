"""Containers, sandboxes and schedulers, by the signs that they leave inside."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from envcheck.facts import Container, Fact, Unread

from .packages import path_folders
from .root import Root, printable

TOOLKIT = (
    "nvidia-ctk",
    "nvidia-container-runtime-hook",
    "nvidia-cdi-hook",
    "nvidia-container-runtime",
    "nvidia-container-cli",
)
CDI_FOLDERS = ("/etc/cdi", "/var/run/cdi")
RUNTIME_CONFIG = "/etc/nvidia-container-runtime/config.toml"

_VARIABLES = {
    "APPTAINER_CONTAINER": "apptainer",
    "SINGULARITY_CONTAINER": "apptainer",
    "KUBERNETES_SERVICE_HOST": "kubernetes",
}
# The variable that systemd's container interface asks engines to set, and what its values mean.
_INTERFACE = {
    "podman": "podman",
    "docker": "docker",
    "lxc": "lxc",
    "lxc-libvirt": "lxc",
    "systemd-nspawn": "systemd-nspawn",
    "flatpak": "flatpak",
    "oci": "containerd",
}
_FILES = {
    "/.singularity.d": "apptainer",
    "/run/.containerenv": "podman",
    "/.dockerenv": "docker",
    "/.flatpak-info": "flatpak",
    "/var/run/secrets/kubernetes.io": "kubernetes",
}
# Parts of control group paths; docker.service, the daemon's own group, is none of them.
_GROUPS = {
    "kubernetes": r"kubepods",
    "podman": r"libpod-[0-9a-f]{64}",
    "docker": r"/docker/[0-9a-f]{64}|docker-[0-9a-f]{64}\.scope",
    "lxc": r"/lxc(?:\.payload)?[./]",
    "containerd": r"cri-containerd[-:]|/containerd/|nerdctl-",
    "systemd-nspawn": r"/machine\.slice/systemd-nspawn|\.nspawn",
}
_PLAIN_GROUPS = frozenset({"", "/", "/init.scope"})
# Parts of the folders that an overlay root is made of; containers/storage is podman's and CRI-O's.
_LAYERS = {"/docker/": "docker", "/containerd/": "containerd", "/containers/storage/": "podman"}
# Outermost first: in a pod made by Docker the pod's definition is what one would change.
_RANK = ("apptainer", "kubernetes", "podman", "docker", "containerd", "lxc", "systemd-nspawn", "flatpak")

_SCHEDULERS = {
    "SLURM_JOB_ID": "slurm",
    "PBS_JOBID": "pbs",
    "LSB_JOBID": "lsf",
    "SGE_TASK_ID": "sge",
    "OAR_JOB_ID": "oar",
    "FLUX_JOB_ID": "flux",
    "KUBERNETES_SERVICE_HOST": "kubernetes",
}
_DRIVER_MOUNT = r"/(?:libcuda|libnvidia-)[^/]*\.so[^/]*$|^/usr/local/nvidia(?:/lib(?:64)?)?$"
_INJECTED_MAX = 64
_CDI_SPECS_MAX = 32
_CDI_LIBRARY = rb"/lib(?:cuda|nvidia-ml)\.so\.(\d{2,}\.\d+(?:\.\d+)*)"
_MOUNTS_BYTES = 4 << 20


def collect_container(root: Root, platform: str, environ: Mapping[str, str]) -> Container:
    """Is this a container, and what was given to it?"""
    folders = path_folders(platform, environ)
    suffix = ".exe" if platform == "win32" else ""
    docker = _shown(root.which(f"docker{suffix}", folders))
    scheduler = next((name for variable, name in _SCHEDULERS.items() if environ.get(variable)), None)
    if platform != "linux":
        why = Unread("unsupported", "containers are looked for on Linux only")
        return Container(
            engine=why,
            signs=why,
            injected_libraries=why,
            runtime_config_no_cgroups=why,
            cdi_specs=why,
            cdi_driver_versions=why,
            toolkit=why,
            docker=docker,
            sandbox=why,
            scheduler=scheduler,
        )
    signs = list(_find_signs(root, environ))
    specs = _find_cdi_specs(root)
    engines = {engine for engine, _ in signs}
    return Container(
        engine=next((engine for engine in _RANK if engine in engines), None),
        signs=[printable(sign) for _, sign in signs],
        injected_libraries=_find_injected(root),
        runtime_config_no_cgroups=_read_no_cgroups(root),
        cdi_specs=[printable(path) for path in specs] if isinstance(specs, list) else specs,
        cdi_driver_versions=_read_cdi_versions(root, specs),
        toolkit=[printable(path) for path in (root.which(name, folders) for name in TOOLKIT) if path],
        docker=docker,
        sandbox=_read_sandbox(root),
        scheduler=scheduler,
    )


def _shown(path: str | None) -> str | None:
    return None if path is None else printable(path)


def _find_signs(root: Root, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(engine, what says so)."""
    for variable, engine in _VARIABLES.items():
        if environ.get(variable):
            yield engine, variable
    told = environ.get("container", "")
    if told in _INTERFACE:
        yield _INTERFACE[told], f"container={told}"
    for path, engine in _FILES.items():
        if root.exists(path) is True:
            yield engine, path
    recorded = root.text("/run/systemd/container")
    if isinstance(recorded, str) and recorded in _INTERFACE:
        yield _INTERFACE[recorded], f"/run/systemd/container: {recorded}"
    for path in ("/proc/self/cgroup", "/proc/1/cgroup"):
        lines = root.lines(path)
        groups = [line.split(":", 2)[-1] for line in lines] if isinstance(lines, list) else []
        groups = [group for group in groups if group not in _PLAIN_GROUPS]
        for engine, pattern in _GROUPS.items() if groups else ():
            group = next((group for group in groups if re.search(pattern, group)), None)
            if group is not None:
                yield engine, f"{path}: {group[:200]}"
    # With a control group namespace of its own a container sees no names above it; its root's layers have some.
    lines = root.lines("/proc/self/mountinfo", _MOUNTS_BYTES)
    for line in lines if isinstance(lines, list) else ():
        fields = line.split(" ")
        if len(fields) > 6 and fields[4] == "/" and " - overlay " in line:
            for part, engine in _LAYERS.items():
                if part in line:
                    yield engine, f"/proc/self/mountinfo: / is an overlay of {part.strip('/')}"
                    break


def _find_injected(root: Root) -> Fact[list[str]]:
    lines = root.lines("/proc/self/mountinfo", _MOUNTS_BYTES)
    if lines is None or isinstance(lines, Unread):
        return lines or Unread("missing", "no /proc/self/mountinfo")
    found = []
    for line in lines:
        fields = line.split(" ", 6)
        if len(fields) > 5 and ("/lib" in fields[4] or "nvidia" in fields[4]):
            # Blanks and backslashes of the path stand as octal escapes (proc(5)).
            point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[4])
            if re.search(_DRIVER_MOUNT, point):
                found.append(point)
    return found[:_INJECTED_MAX]


def _read_no_cgroups(root: Root) -> Fact[bool]:
    lines = root.lines(RUNTIME_CONFIG)
    if lines is None or isinstance(lines, Unread):
        return lines
    section = ""
    for line in lines:
        line = line.partition("#")[0].strip()
        if line.startswith("["):
            section = line.strip("[] ")
        key, sign, value = line.partition("=")
        if sign and section == "nvidia-container-cli" and key.strip() == "no-cgroups":
            word = value.strip()
            return word == "true" if word in ("true", "false") else Unread("garbled", line[:80])
    return False  # the default; the file that is shipped has the line as a comment


def _find_cdi_specs(root: Root) -> list[str] | Unread:
    found: list[str] = []
    for folder in CDI_FOLDERS:
        names = root.names(folder)
        if isinstance(names, Unread):
            return names
        found += [f"{folder}/{name}" for name in names or () if name.endswith((".yaml", ".yml", ".json"))]
    return found[:_CDI_SPECS_MAX]


def _read_cdi_versions(root: Root, specs: list[str] | Unread) -> Fact[list[str]]:
    """Driver versions in the library names of the specs: ``…/libcuda.so.580.105.08``."""
    if isinstance(specs, Unread):
        return specs
    versions: dict[str, None] = {}
    for path in specs:
        raw = root.read(path)
        if isinstance(raw, Unread):
            return raw
        for found in re.findall(_CDI_LIBRARY, raw or b""):
            versions[found.decode()] = None
    return list(versions)


def _read_sandbox(root: Root) -> Fact[str]:
    version = root.text("/proc/version")
    if isinstance(version, Unread):
        return version
    # gVisor's kernel shows this date, five minutes after the tag of Linux 4.4, in all versions so far
    # (pkg/sentry/syscalls/linux of google/gvisor); newer ones also say "4.19.0-gvisor".
    if version is not None and ("gvisor" in version.lower() or "Sun Jan 10 15:06:54 PST 2016" in version):
        return "gvisor"
    command_line = root.text("/proc/cmdline")
    if isinstance(command_line, str) and ("kata-containers" in command_line or "agent.log=" in command_line):
        return "kata"
    return None
