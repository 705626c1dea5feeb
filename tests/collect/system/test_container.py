"""Containers and what was given to them, sandboxes, schedulers."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.collect.system.container import collect_container
from envcheck.facts import Container, Unread
from tests.collect.system.trees import HOST, SERVER, refuse, tree
from tests.fakes.tree import Files, Folder, Link, without

ID = "4f2a" * 16


def container_of(place: Path, *parts: Files, **environ: str) -> Container:
    return collect_container(tree(place, *parts), "linux", environ)


def test_a_bare_server_is_no_container(tmp_path: Path) -> None:
    """Nothing that a plain host has is taken for a sign, the container daemons' own groups included."""
    daemon = {"proc/self/cgroup": "0::/system.slice/docker.service\n", "proc/1/cgroup": "0::/init.scope\n"}
    container = container_of(tmp_path, SERVER, daemon, container="", KUBERNETES_SERVICE_HOST="")
    assert container == Container(
        engine=None,
        signs=[],
        injected_libraries=[],
        runtime_config_no_cgroups=None,
        cdi_specs=[],
        cdi_driver_versions=[],
        toolkit=[],
        docker=None,
        sandbox=None,
        scheduler=None,
    )


@pytest.mark.parametrize(
    ("files", "environ", "engine"),
    [
        ({".dockerenv": ""}, {}, "docker"),
        ({"run/.containerenv": 'engine="podman-5.2.2"\n'}, {"container": "podman"}, "podman"),
        ({".singularity.d/libs": Folder()}, {}, "apptainer"),
        ({}, {"APPTAINER_CONTAINER": "/scratch/torch.sif"}, "apptainer"),
        ({}, {"SINGULARITY_CONTAINER": "/scratch/torch.sif"}, "apptainer"),
        ({".dockerenv": ""}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"),
        ({"var/run/secrets/kubernetes.io/serviceaccount/namespace": "ml"}, {}, "kubernetes"),
        ({"run/systemd/container": "systemd-nspawn\n"}, {}, "systemd-nspawn"),
        ({}, {"container": "lxc"}, "lxc"),
        ({}, {"container": "something"}, None),
        ({"proc/self/cgroup": f"0::/docker/{ID}\n"}, {}, "docker"),
        ({"proc/1/cgroup": f"5:devices:/system.slice/docker-{ID}.scope\n"}, {}, "docker"),
        ({"proc/self/cgroup": f"0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope\n"}, {}, "kubernetes"),
        ({"proc/self/cgroup": f"0::/machine.slice/libpod-{ID}.scope/container\n"}, {}, "podman"),
        ({"proc/1/cgroup": "0::/lxc.payload.web/init.scope\n"}, {}, "lxc"),
    ],
)
def test_engines_by_their_signs(tmp_path: Path, files: Files, environ: dict[str, str], engine: str | None) -> None:
    """Each engine is known by a file, a variable or its control group, and the sign is kept."""
    container = container_of(tmp_path, HOST, files, **environ)
    assert container.engine == engine
    assert bool(container.signs) is (engine is not None)


@pytest.mark.parametrize(
    ("layers", "engine"),
    [
        ("lowerdir=/var/lib/docker/overlay2/l/ABC,upperdir=/var/lib/docker/overlay2/1/diff", "docker"),
        ("lowerdir=/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/1/fs", "containerd"),
        ("lowerdir=/home/me/.local/share/containers/storage/overlay/l/ABC", "podman"),
        ("lowerdir=/cow/upper,workdir=/cow/work", None),
    ],
)
def test_a_container_with_a_private_control_group_namespace(tmp_path: Path, layers: str, engine: str | None) -> None:
    """There the group is "/"; the layers of the root file system still tell.  A live system's do not."""
    files = {
        "proc/self/cgroup": "0::/\n",
        "proc/1/cgroup": "0::/\n",
        "proc/self/mountinfo": f"500 400 0:50 / / rw,relatime - overlay overlay rw,{layers}\n",
    }
    assert container_of(tmp_path, HOST, files).engine == engine


def test_injected_driver_libraries(tmp_path: Path) -> None:
    """Bind mounts of driver libraries are what the toolkit gave; other mounts are not."""
    lib = "/usr/lib/x86_64-linux-gnu"
    lines = [
        f"600 500 259:2 {lib}/libcuda.so.580.105.08 {lib}/libcuda.so.580.105.08 ro,nosuid - ext4 /dev/nvme0n1p2 ro",
        f"601 500 259:2 {lib}/x /opt/with\\040blank/libnvidia-ml.so.1 ro - ext4 /dev/nvme0n1p2 ro",
        f"602 500 259:2 {lib}/libcudnn.so.9 {lib}/libcudnn.so.9 ro - ext4 /dev/nvme0n1p2 ro",
        "603 500 259:2 / /usr/local/nvidia ro - ext4 /dev/nvme0n1p2 ro",
        "604 500 259:2 /data /data rw - ext4 /dev/nvme0n1p2 rw",
        "short line",
    ]
    container = container_of(tmp_path, HOST, {".dockerenv": "", "proc/self/mountinfo": "\n".join(lines)})
    expected = [f"{lib}/libcuda.so.580.105.08", "/opt/with blank/libnvidia-ml.so.1", "/usr/local/nvidia"]
    assert container.injected_libraries == expected


def test_a_docker_container_without_mounts_to_see(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without mountinfo nobody knows what was injected."""
    root = tree(tmp_path, HOST, {".dockerenv": ""})
    refuse(monkeypatch, root, "/proc/self/mountinfo")
    fact = collect_container(root, "linux", {}).injected_libraries
    assert isinstance(fact, Unread)
    assert fact.why == "refused"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("[nvidia-container-cli]\nno-cgroups = true\n", True),
        ("[nvidia-container-cli]\nno-cgroups = false # rootful\n", False),
        ("[nvidia-container-cli]\n#no-cgroups = true\n", False),
        ("[other]\nno-cgroups = true\n", False),
        ("[nvidia-container-cli]\nno-cgroups = maybe\n", "garbled"),
    ],
)
def test_no_cgroups_of_the_runtime_config(tmp_path: Path, config: str, expected: bool | str) -> None:
    """The shipped file has the line as a comment: the default is false."""
    files = {"etc/nvidia-container-runtime/config.toml": config}
    fact = container_of(tmp_path, HOST, files).runtime_config_no_cgroups
    assert (fact.why if isinstance(fact, Unread) else fact) == expected


def test_cdi_specs_and_programs(tmp_path: Path) -> None:
    """Specs of both folders, programs of PATH in the user's order."""
    files = {
        "etc/cdi/nvidia.yaml": "- containerPath: /usr/lib/libcuda.so.550.54.15\n- hostPath: /x/libcudnn.so.9.1\n",
        "etc/cdi/README": "/libcuda.so.535.1.1",
        "run/cdi/nvidia.json": '{"hostPath": "/usr/lib/libnvidia-ml.so.580.105.08", "b": "/a/libcuda.so.1"}',
        "var/run": Link("run"),
        "usr/bin/nvidia-ctk": "",
        "usr/bin/docker": "",
        "snap/bin/docker": "",
    }
    root = tree(tmp_path, HOST, files)
    for program in ("usr/bin/nvidia-ctk", "usr/bin/docker", "snap/bin/docker"):
        (tmp_path / program).chmod(0o755)
    container = collect_container(root, "linux", {"PATH": "/snap/bin::/usr/bin"})
    assert container.cdi_specs == ["/etc/cdi/nvidia.yaml", "/var/run/cdi/nvidia.json"]
    assert container.cdi_driver_versions == ["550.54.15", "580.105.08"]
    assert (container.toolkit, container.docker) == (["/usr/bin/nvidia-ctk"], "/snap/bin/docker")


@pytest.mark.parametrize(
    ("environ", "scheduler"),
    [
        ({"SLURM_JOB_ID": "17"}, "slurm"),
        ({"PBS_JOBID": "17.head"}, "pbs"),
        ({"LSB_JOBID": "17"}, "lsf"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"),
        ({"SLURM_JOB_ID": ""}, None),
        ({}, None),
    ],
)
def test_schedulers_by_their_job_variable(tmp_path: Path, environ: dict[str, str], scheduler: str | None) -> None:
    """A job knows itself by its number; an empty variable is none."""
    assert container_of(tmp_path, HOST, **environ).scheduler == scheduler


@pytest.mark.parametrize(
    ("files", "sandbox"),
    [
        ({"proc/version": "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016\n"}, "gvisor"),
        ({"proc/version": "Linux version 4.19.0-gvisor #1 SMP Sun Jan 10 15:06:54 PST 2016\n"}, "gvisor"),
        ({"proc/cmdline": "console=hvc0 systemd.unit=kata-containers.target agent.log=debug\n"}, "kata"),
        ({}, None),
    ],
)
def test_sandboxes_with_a_kernel_of_their_own(tmp_path: Path, files: Files, sandbox: str | None) -> None:
    """Their /proc is not the host's: what is absent there says nothing about the host."""
    assert container_of(tmp_path, HOST, files).sandbox == sandbox


def test_an_apptainer_job_of_slurm(tmp_path: Path) -> None:
    """Inside apptainer the host's files are visible: engine, scheduler and libraries are told apart."""
    files = {
        ".singularity.d/libs/libcuda.so.1": "",
        "proc/self/mountinfo": "700 600 259:2 /x /.singularity.d/libs/libcuda.so.1 ro - ext4 /dev/nvme0n1p2 ro\n",
    }
    container = container_of(
        tmp_path, without(SERVER, "proc/self/mountinfo"), files, APPTAINER_CONTAINER="/t.sif", SLURM_JOB_ID="3"
    )
    assert (container.engine, container.scheduler) == ("apptainer", "slurm")
    assert container.injected_libraries == ["/.singularity.d/libs/libcuda.so.1"]
