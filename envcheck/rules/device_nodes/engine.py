"""What did the container engine say?  Messages that stand outside of any container; no fact of a machine shows them."""

from __future__ import annotations

from envcheck.judge import Case, Fix, Rule, Step, by_message

CONFIGURE_CONTAINERD = "sudo nvidia-ctk runtime configure --runtime=containerd"
CONFIGURE = "sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker"
TRY = "docker run --rm --gpus all ubuntu nvidia-smi -L"
SPEC = "sudo nvidia-ctk cdi generate --output=/var/run/cdi/nvidia.yaml"


class DockerToolkitMissing(Rule):
    """Docker found no NVIDIA Container Toolkit, so it cannot hand a GPU to a container.

    What it looks at
        The daemon's message `could not select device driver "" with capabilities: [[gpu]]`.
    Why it matters
        The daemon looks for the toolkit's hook in its own PATH when it starts.
    How to mend it
        Install nvidia-container-toolkit, configure the runtime and restart the daemon.
    Cannot tell when
        No message was seen.
    References
        NVIDIA Container Toolkit, installation guide; moby/moby, daemon/devices_nvidia_linux.go.
    """

    code, name, rung = "CON131", "docker-toolkit-missing", "device_nodes"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Install the NVIDIA Container Toolkit and restart the daemon",
            steps=[
                *install_toolkit(),
                Step(where="container_host", command=CONFIGURE, root=True),
                Step(
                    where="container_host",
                    command="docker context show",
                    note="desktop-linux or a snap daemon has a PATH and a configuration of its own",
                ),
            ],
            safety="careful",
            verify=TRY,
        )


class DockerCdiVendorMissing(Rule):
    """Docker found neither the NVIDIA hooks nor a CDI specification, so it knows no GPU vendor.

    What it looks at
        The daemon's messages `failed to discover GPU vendor from CDI` and `AMD CDI spec not found`.
    Why it matters
        It is how newer Docker releases say that the NVIDIA Container Toolkit is missing in the daemon's PATH.
    How to mend it
        Install the toolkit and restart the daemon; where the specification is missing, generate it.
    Cannot tell when
        No message was seen.
    References
        moby/moby, daemon/devices_linux.go; NVIDIA Container Toolkit, CDI support.
    """

    code, name, rung = "CON132", "docker-cdi-vendor-missing", "device_nodes"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Install the NVIDIA Container Toolkit and restart the daemon",
            steps=[
                *install_toolkit(),
                Step(where="container_host", command="sudo systemctl restart docker", root=True),
                Step(
                    where="container_host",
                    command="sudo systemctl restart nvidia-cdi-refresh.service",
                    root=True,
                    note="where `nvidia-ctk cdi list` shows no device",
                ),
                Step(where="container_host", command=SPEC, root=True, note="where that service is not there"),
            ],
            safety="careful",
            verify=f"nvidia-ctk cdi list && {TRY}",
        )


class NvidiaRuntimeNotRegistered(Rule):
    """The container engine has no runtime called nvidia.

    What it looks at
        The messages `unknown or invalid runtime name: nvidia` and `no runtime for "nvidia" is configured`.
    Why it matters
        A pod or container asks for that runtime by name, and the engine's configuration does not have it.
    How to mend it
        Let nvidia-ctk write the configuration of that engine, and restart it.
    Cannot tell when
        No message was seen.
    References
        NVIDIA GPU Operator troubleshooting; NVIDIA Container Toolkit, installation guide.
    """

    code, name, rung = "CON133", "nvidia-runtime-not-registered", "device_nodes"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Register the runtime with the engine that is in use",
            steps=[
                Step(
                    where="container_host",
                    command=f"{CONFIGURE_CONTAINERD} && sudo systemctl restart containerd",
                    root=True,
                    note="Kubernetes with containerd; crio likewise",
                ),
                Step(where="container_host", command=CONFIGURE, root=True, note="Docker"),
                Step(
                    where="container_host",
                    note="k3s, RKE2 and MicroK8s have a containerd of their own: restart them after installing it",
                ),
            ],
            safety="disruptive",
            verify="docker info | grep -i runtimes   # or: the pod starts",
        )


class ContainerCudaRequirementUnsatisfied(Rule):
    """The image asks for a newer driver than the host has.

    What it looks at
        The runtime's message `unsatisfied condition: cuda>=…`.
    Why it matters
        The image's NVIDIA_REQUIRE_CUDA names the CUDA that it was made for; the older host driver cannot run it.
    How to mend it
        Upgrade the host's driver, or take an image for an older CUDA.
    Cannot tell when
        No message was seen.  With CDI the container starts, and CUDA inside says that the driver is too old.
    References
        NVIDIA Container Toolkit, Docker specialised configurations, constraints.
    """

    code, name, rung = "CON134", "container-cuda-requirement-unsatisfied", "device_nodes"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Bring driver and image together",
            steps=[
                Step(where="container_host", command="nvidia-smi --query-gpu=driver_version --format=csv"),
                Step(where="container_host", note="upgrade that driver, or take an image tag for its CUDA"),
                Step(
                    where="container_host",
                    command="docker run --gpus all -e NVIDIA_DISABLE_REQUIRE=true …",
                    note="only to try whether the same CUDA major runs all the same",
                ),
            ],
            safety="careful",
            verify="the container starts and nvidia-smi answers in it",
        )


class RootlessCgroupsDenied(Rule):
    """The runtime tries to set device rules without the right to do so, in a rootless engine.

    What it looks at
        The message `failed to add device rules`.
    Why it matters
        A rootless engine may not change control groups; the container does not start.
    How to mend it
        Hand the GPU over by CDI.  Setting no-cgroups would break the system daemon of the same host.
    Cannot tell when
        No message was seen.
    References
        NVIDIA Container Toolkit, installation guide, rootless mode.
    """

    code, name, rung = "CON135", "rootless-cgroups-denied", "device_nodes"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Hand the GPU over by CDI",
            steps=[
                Step(where="container_host", command=SPEC, root=True),
                Step(where="container_host", command="docker run --device nvidia.com/gpu=all …", note="podman alike"),
            ],
            safety="careful",
            verify="docker run --rm --device nvidia.com/gpu=all ubuntu nvidia-smi -L",
        )


class PodmanCdiUnresolvable(Rule):
    """The engine knows no CDI device of that name.

    What it looks at
        The message `unresolvable CDI devices`.
    Why it matters
        There is no specification, it lies in a folder that the engine does not read, or the engine is too old for it.
    How to mend it
        Let nvidia-ctk write the specification; podman before 4.1 must be upgraded.
    Cannot tell when
        No message was seen.
    References
        NVIDIA Container Toolkit, CDI support.
    """

    code, name, rung = "CON136", "podman-cdi-unresolvable", "device_nodes"

    @staticmethod
    def mend(case: Case) -> Fix:
        refresh = "nvidia-cdi-refresh.path nvidia-cdi-refresh.service"
        return Fix(
            title="Write the CDI specification",
            steps=[
                Step(
                    where="container_host",
                    command=f"sudo systemctl enable --now {refresh}",
                    root=True,
                    note="toolkit 1.18 and newer",
                ),
                Step(
                    where="container_host",
                    command=SPEC,
                    root=True,
                    note="instead; gone at the next start, and a copy in /etc/cdi grows stale",
                ),
                Step(where="container_host", command="podman --version", note="4.1 or newer"),
            ],
            safety="careful",
            verify="nvidia-ctk cdi list",
        )


class K8sInsufficientGpu(Rule):
    """No node of the cluster has the GPU that the pod asks for.

    What it looks at
        The scheduler's event `Insufficient nvidia.com/gpu`.
    Why it matters
        All cards are given away, the device plugin is absent or holds a card for unhealthy, or MIG gives the resource
        another name.
    How to mend it
        Compare what the nodes can give with the pod's limit; restart the plugin when the card is healed.
    Cannot tell when
        No message was seen.
    References
        NVIDIA GPU Operator troubleshooting; NVIDIA/k8s-device-plugin, internal/rm/health.go.
    """

    code, name, rung = "CON137", "k8s-insufficient-gpu", "device_nodes"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="See what the nodes can give",
            steps=[
                Step(
                    where="container_host",
                    command='kubectl get nodes -o jsonpath=\'{range .items[*]}{.metadata.name}{" "}'
                    '{.status.allocatable}{"\\n"}{end}\'',
                    note="0: the plugin holds the card for unhealthy; no such key: no plugin; another name: MIG",
                ),
                Step(
                    where="container_host",
                    command="kubectl logs -A -l name=nvidia-device-plugin-ds --tail=50",
                    note="names the Xid where a card is held for unhealthy",
                ),
                Step(
                    where="container_host", note="all given away: wait, or ask for fewer; a taint: add its toleration"
                ),
            ],
            verify="kubectl describe pod <pod>   # no event FailedScheduling",
        )


def install_toolkit() -> list[Step]:
    """The package of the toolkit; its repository is set up as its installation guide says."""
    return [
        Step(
            where="container_host",
            tool="apt",
            command="sudo apt-get install nvidia-container-toolkit",
            root=True,
            note="from NVIDIA's libnvidia-container repository",
        ),
        Step(where="container_host", tool="dnf", command="sudo dnf install nvidia-container-toolkit", root=True),
    ]


what_did_the_container_engine_say = by_message(
    "what_did_the_container_engine_say",
    "host",
    DockerToolkitMissing,
    DockerCdiVendorMissing,
    NvidiaRuntimeNotRegistered,
    ContainerCudaRequirementUnsatisfied,
    RootlessCgroupsDenied,
    PodmanCdiUnresolvable,
    K8sInsufficientGpu,
)
