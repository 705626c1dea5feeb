"""The rules of nodes that are missing or closed.  The decision stands in :mod:`.nodes`."""

from __future__ import annotations

from envcheck.facts import DeviceNode, ProcGpu
from envcheck.judge import CannotTell, Case, Fix, Rule, Step
from envcheck.rules.hardware.consequences import CUDA

FOLLOWS = ("gpu-count-below-expected", "gpu-init-failed", "fabric-manager-not-running", *CUDA)


class DeviceNodesMissing(Rule):
    """The driver's device nodes are missing, so no program reaches the card.

    What it looks at
        /dev/nvidiactl and /dev/nvidiaN while the kernel module is loaded, and NVML's return code.
    Why it matters
        Nodes are made on demand by a setuid helper or at start by nvidia-persistenced; on headless machines without
        either nobody makes them.
    How to mend it
        `sudo nvidia-modprobe` with one -c for each card, then once more for UVM; enable nvidia-persistenced.
    Cannot tell when
        /dev could not be read.  While NVML answers, absent nodes mean nothing.
    References
        NVIDIA/nvidia-modprobe.
    """

    code, name, rung = "DEV101", "device-nodes-missing", "device_nodes"
    explains = FOLLOWS

    @staticmethod
    def mend(case: Case) -> Fix:
        minors: list[int] = []
        for pointer, _ in case.maybe_records("/driver/gpus", ProcGpu):
            minor = case.maybe(lambda pointer=pointer: case.known(f"{pointer}/minor", int))  # type: ignore[misc]
            if isinstance(minor, int) and not isinstance(minor, CannotTell):
                minors.append(minor)
        cards = " ".join(f"-c {minor}" for minor in sorted(minors) or [0])
        return Fix(
            title="Make the nodes, and let nvidia-persistenced make them at every start",
            steps=[
                Step(
                    where="host",
                    command=f"sudo nvidia-modprobe -c 255 {cards}",
                    root=True,
                    note="255 is nvidiactl; one -c for each card",
                ),
                Step(where="host", command="sudo nvidia-modprobe -u -c 0", root=True, note="the UVM nodes"),
                Step(where="host", command="sudo systemctl enable --now nvidia-persistenced", root=True),
            ],
            verify="ls -l /dev/nvidia* && nvidia-smi",
        )


class DeviceNodePermissionDenied(Rule):
    """This user may not open the card's device nodes.

    What it looks at
        Mode, owner and group of /dev/nvidiactl, /dev/nvidiaN and /dev/nvidia-uvm, and the user's own groups.
    Why it matters
        NVML answers `Insufficient Permissions`, and CUDA finds no device.
    How to mend it
        Join the group of the nodes and log in again; where it is root, undo the setting that narrowed their mode.
    Cannot tell when
        The nodes could not be looked at.
    References
        NVIDIA/nvidia-modprobe; NVIDIA open-gpu-kernel-modules, nv-reg.h (NVreg_DeviceFileMode).
    """

    code, name, rung = "DEV102", "device-node-permission-denied", "device_nodes"
    explains = FOLLOWS

    @staticmethod
    def mend(case: Case) -> Fix:
        groups: list[str] = []
        for pointer, node in case.maybe_records("/devices/nodes", DeviceNode):
            if node.path.startswith("/dev/nvidia") and node.accessible is False:
                group = case.maybe(lambda pointer=pointer: case.known(f"{pointer}/group", str))  # type: ignore[misc]
                if isinstance(group, str):
                    groups.append(group)
        others = sorted(set(groups) - {"root"})
        inside = isinstance(case.maybe(lambda: case.known("/container/engine", str)), str)
        if inside:
            wanted = others[0] if others else "video"
            steps = [Step(where="container_host", command=f"docker run --gpus all --group-add {wanted} …")]
        elif others or not groups:
            command = f'sudo usermod -aG {others[0]} "$USER"' if others else _JOIN
            steps = [Step(where="host", command=command, root=True, note="then log out and in again")]
        else:
            steps = [
                Step(
                    where="host",
                    command="grep -rn 'NVreg_DeviceFile\\|KERNEL==\"nvidia' /etc/modprobe.d /etc/udev/rules.d",
                    note="the nodes belong to root: remove the line that narrowed their mode, never join group root",
                ),
                Step(where="host", command="sudo reboot", root=True, reboot=True),
            ]
        return Fix(
            title="Get access to the nodes",
            steps=steps,
            safety="careful",
            verify="test -w /dev/nvidiactl && nvidia-smi",
        )


_JOIN = 'sudo usermod -aG "$(stat -c %G /dev/nvidiactl)" "$USER"'


class CgroupDeviceDenied(Rule):
    """The control group of this process does not allow it the GPU's device nodes.

    What it looks at
        Opening /dev/nvidiactl and /dev/nvidia-uvm (EPERM although their mode allows it), NVML's return code 17, and in
        a Slurm job whether a GPU was asked for.
    Why it matters
        The device filter of Slurm or of a systemd unit hides the card; CUDA reports unknown errors or no device.
    How to mend it
        Ask the scheduler for a GPU; in a systemd unit allow char-nvidia*.
    Cannot tell when
        Opening the nodes was not tried.
    References
        NVML return code 17; systemd.resource-control(5), DeviceAllow; Slurm, gres.conf and ConstrainDevices.
    """

    code, name, rung = "DEV103", "cgroup-device-denied", "device_nodes"
    explains = FOLLOWS

    @staticmethod
    def mend(case: Case) -> Fix:
        scheduler = case.maybe(lambda: case.known("/container/scheduler", str))
        if scheduler == "slurm":
            steps = [
                Step(where="host", command="srun --gres=gpu:1 --pty bash", note="or --gres=gpu:1 in the job script")
            ]
        else:
            steps = [
                Step(
                    where="host",
                    command="sudo systemctl edit <unit>   # [Service] DeviceAllow=char-nvidia* rw",
                    root=True,
                    note="a pattern on /dev/… does not work; char-nvidia* matches the names in /proc/devices",
                ),
                Step(where="host", command="sudo systemctl restart <unit>", root=True),
            ]
        return Fix(title="Ask for a GPU where this process is started", steps=steps, verify="nvidia-smi -L")


class ContainerGpuLostAfterReload(Rule):
    """The container has the GPU's nodes and may not open them.

    What it looks at
        Opening /dev/nvidiactl and /dev/nvidia-uvm inside the container: EPERM although their mode allows it.
    Why it matters
        The device rules that the runtime hook added are gone: after a daemon-reload or a change of the container's
        limits NVML says `Unknown Error`.  From inside, a container that never had them looks the same.
    How to mend it
        Create the container anew.  Lasting: hand the GPU over by CDI, or by --device for each node.
    Cannot tell when
        Opening the nodes was not tried.
    References
        NVIDIA Container Toolkit, troubleshooting (containers losing access to GPUs).
    """

    code, name, rung = "CON111", "container-gpu-lost-after-reload", "device_nodes"
    explains = FOLLOWS

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Create the container anew, with devices that a reload does not take away",
            steps=[
                Step(
                    where="container_host", command="docker run --device nvidia.com/gpu=all …", note="by CDI, lasting"
                ),
                Step(
                    where="container_host",
                    command="docker run --gpus all --device /dev/nvidia0 --device /dev/nvidiactl "
                    "--device /dev/nvidia-uvm …",
                    note="instead, without CDI",
                ),
                Step(
                    where="container_host",
                    command="grep no-cgroups /etc/nvidia-container-runtime/config.toml",
                    note="where a new container fails from its start: it must not be true",
                ),
            ],
            safety="disruptive",
            verify="nvidia-smi   # again after: sudo systemctl daemon-reload",
        )


class ContainerNoCgroups(Rule):
    """The container runtime is told to add no device rules, so containers of the system daemon see no GPU.

    What it looks at
        no-cgroups in /etc/nvidia-container-runtime/config.toml, and that opening the nodes is not permitted.
    Why it matters
        The setting is meant for rootless engines; the system daemon needs the rules, and each new container fails.
    How to mend it
        Set it to false; where both kinds of engine run on one host, use CDI.
    Cannot tell when
        The runtime's configuration is not visible, as inside most containers.
    References
        NVIDIA/nvidia-container-toolkit issues 381 and 85.
    """

    code, name, rung = "CON112", "container-no-cgroups", "device_nodes"
    explains = FOLLOWS

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Let the runtime add device rules again",
            steps=[
                Step(
                    where="container_host",
                    command="sudo nvidia-ctk config --set nvidia-container-cli.no-cgroups=false --in-place",
                    root=True,
                ),
                Step(
                    where="container_host",
                    note="create the container anew; rootless engines: --device nvidia.com/gpu=all",
                ),
            ],
            safety="careful",
            verify="docker run --rm --gpus all ubuntu nvidia-smi -L",
        )


class SelinuxLabelDenied(Rule):
    """A security label (SELinux) forbids this process the GPU's nodes.

    What it looks at
        Opening /dev/nvidiactl and /dev/nvidia-uvm: EACCES although their mode allows it.
    Why it matters
        podman and docker on RHEL and Fedora separate containers by labels; NVML says `Insufficient Permissions`.
    How to mend it
        Start the container with --security-opt=label=disable, or allow devices for all containers by a boolean.
    Cannot tell when
        Opening the nodes was not tried.  Inside a container the policy itself is not visible.
    References
        NVIDIA Container Toolkit, troubleshooting; container-selinux, container_use_devices.
    """

    code, name, rung = "DEV104", "selinux-label-denied", "device_nodes"
    explains = FOLLOWS

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Allow the label the GPU's nodes",
            steps=[
                Step(
                    where="container_host",
                    command="podman run --device nvidia.com/gpu=all --security-opt=label=disable …",
                    note="this container only",
                ),
                Step(
                    where="container_host",
                    command="sudo setsebool -P container_use_devices on",
                    root=True,
                    note="instead, for all containers",
                ),
            ],
            safety="careful",
            verify="nvidia-smi",
        )
