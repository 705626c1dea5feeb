"""Why did a job of several GPUs or nodes fail?  Messages of NCCL and of torch.distributed."""

from __future__ import annotations

from envcheck.judge import Case, Fix, Rule, Step, by_message


class NcclUnhandledError(Rule):
    """NCCL failed; torch's message only wraps the reason.

    What it looks at
        The message of torch.distributed about an NCCL error.
    Why it matters
        The wrapped words ("unhandled cuda error", "system error") name no cause; NCCL's own log does.
    How to mend it
        Run again with NCCL_DEBUG=INFO and look at the first NCCL WARN line; on a remote error look at another rank.
    Cannot tell when
        No message was seen.
    References
        NCCL user guide, troubleshooting.
    """

    code, name, rung = "RUN401", "nccl-unhandled-error", "torch_runtime"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Let NCCL say why",
            steps=[
                Step(where="env", command="NCCL_DEBUG=INFO torchrun …", note="the first NCCL WARN line is the cause")
            ],
            verify="envcheck explain nccl.log",
        )


class NcclDuplicateGpu(Rule):
    """Two ranks of a job use the same GPU.

    What it looks at
        NCCL's message about a duplicate GPU.
    Why it matters
        NCCL refuses to start: each rank needs a card of its own.
    How to mend it
        Set the device from LOCAL_RANK in each process, and start no more processes than there are cards.
    Cannot tell when
        No message was seen.
    References
        NVIDIA/nccl, src/init.cc.
    """

    code, name, rung = "RUN402", "nccl-duplicate-gpu", "torch_runtime"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Give each rank its own card",
            steps=[
                Step(
                    where="env",
                    command='torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))',
                    note="in the program, before any CUDA call",
                ),
                Step(where="env", command="torchrun --nproc-per-node=<number of visible GPUs> …"),
            ],
            verify="run the failing job again",
        )


class NcclNoInterface(Rule):
    """NCCL or Gloo found no network interface to talk over.

    What it looks at
        The message of the bootstrap about a missing socket interface.
    Why it matters
        The ranks cannot find each other.
    How to mend it
        Correct or unset NCCL_SOCKET_IFNAME and GLOO_SOCKET_IFNAME.
    Cannot tell when
        No message was seen.
    References
        NVIDIA/nccl, src/bootstrap.cc; NCCL user guide, NCCL_SOCKET_IFNAME.
    """

    code, name, rung = "RUN403", "nccl-no-interface", "torch_runtime"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Name an interface that exists, or none",
            steps=[
                Step(where="env", command="ls /sys/class/net"),
                Step(where="env", command="unset NCCL_SOCKET_IFNAME GLOO_SOCKET_IFNAME"),
            ],
            verify="NCCL_DEBUG=INFO torchrun …",
        )


class NcclVersionMismatchRanks(Rule):
    """The nodes of a job have different NCCL versions.

    What it looks at
        NCCL's message about mismatched versions.
    Why it matters
        NCCL refuses to join them; the nodes do not have the same torch.
    How to mend it
        Use one image or one lock file on all nodes.
    Cannot tell when
        No message was seen.
    References
        NVIDIA/nccl, src/init.cc.
    """

    code, name, rung = "RUN404", "nccl-version-mismatch-ranks", "torch_runtime"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Bring all nodes to one torch",
            steps=[
                Step(
                    where="env",
                    command='python -c "import torch; print(torch.__version__, torch.cuda.nccl.version())"',
                    note="on each node",
                )
            ],
            verify="run the failing job again",
        )


class CollectiveTimeout(Rule):
    """A collective did not end in time: one rank died, hung or went another way.

    What it looks at
        The watchdog's message of torch.distributed.
    Why it matters
        The rank that complains is seldom the one at fault.
    How to mend it
        Find the rank with the lowest sequence number and look at that node: its log, its memory, its Xids.
    Cannot tell when
        No message was seen.
    References
        PyTorch documentation, flight recorder for distributed jobs.
    """

    code, name, rung = "RUN405", "collective-timeout", "torch_runtime"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Find the rank that lags",
            steps=[
                Step(
                    where="env",
                    command="TORCH_FR_BUFFER_SIZE=2000 TORCH_NCCL_DUMP_ON_TIMEOUT=1 torchrun …",
                    note="records the last collectives of each rank",
                ),
                Step(where="host", command="envcheck doctor", note="on the node of the lagging rank"),
            ],
            verify="run the failing job again",
        )


class RendezvousUnreachable(Rule):
    """The processes of a job cannot reach the rendezvous address, or its port is taken.

    What it looks at
        The messages of torch's TCP store.
    Why it matters
        Nothing starts before all ranks have met there.
    How to mend it
        Check name resolution, firewall and port; choose a free port.
    Cannot tell when
        No message was seen.
    References
        PyTorch documentation, torchrun.
    """

    code, name, rung = "RUN406", "rendezvous-unreachable", "torch_runtime"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Meet at an address that all nodes reach, on a free port",
            steps=[
                Step(where="env", command="getent hosts <master address> && ss -ltn | grep <port>"),
                Step(where="env", command="torchrun --rdzv-backend=c10d --rdzv-endpoint=<master address>:29501 …"),
            ],
            verify="run the failing job again",
        )


class P2pUnsupportedPair(Rule):
    """Two cards cannot read each other's memory directly.

    What it looks at
        The message of CUDA error 217.
    Why it matters
        GeForce 40 and 50 cards, vGPUs and cards under different root complexes have no peer access; NCCL then goes
        through host memory by itself, a program that demands it fails.
    How to mend it
        Nothing on the machine; do not demand peer access in the program.
    Cannot tell when
        No message was seen.
    References
        nvmlDeviceGetP2PStatus; CUDA Runtime API, error 217.
    """

    code, name, rung = "RUN407", "p2p-unsupported-pair", "torch_runtime"
    severity = "note"


class P2pBrokenByAcsIommu(Rule):
    """Peer copies between the cards hang or arrive wrong, because PCIe access control or the IOMMU redirects them.

    What it looks at
        Messages about peer-to-peer that is disabled or fails between cards that should have it.
    Why it matters
        The first all-reduce hangs, or its numbers are wrong.
    How to mend it
        On bare metal without passthrough: IOMMU to passthrough, ACS off on the bridges.
    Cannot tell when
        No message was seen: only a peer copy can show it.
    References
        NCCL user guide, troubleshooting, PCI access control services.
    """

    code, name, rung = "RUN408", "p2p-broken-by-acs-iommu", "torch_runtime"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Prove it, then let peer traffic pass directly",
            steps=[
                Step(
                    where="env", command="NCCL_P2P_DISABLE=1 torchrun …", note="works with it: peer traffic is broken"
                ),
                Step(where="host", command="sudo lspci -vvv | grep -i acsctl", root=True, note="SrcValid+ means on"),
                Step(where="bios", note="disable VT-d / AMD-Vi, or boot Linux with iommu=pt"),
            ],
            safety="careful",
            verify="all_reduce_perf -b 8 -e 128M -f 2 -g <GPUs>   # of nccl-tests",
        )


class ImexDomainNotReady(Rule):
    """The NVLink domain of several nodes is not up: its IMEX service or channel is missing.

    What it looks at
        NCCL's message about MNNVL that is available and does not work.
    Why it matters
        On rack-scale systems memory of other nodes is reached through IMEX; without it the job fails.
    How to mend it
        Start nvidia-imex on every node and hand a channel to the container.
    Cannot tell when
        No message was seen.
    References
        NVIDIA/nccl, src/transport/mnnvl.cc; NVIDIA Container Toolkit documentation, NVIDIA_IMEX_CHANNELS.
    """

    code, name, rung = "RUN409", "imex-domain-not-ready", "torch_runtime"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Start IMEX on every node",
            steps=[
                Step(where="host", command="sudo systemctl start nvidia-imex", root=True),
                Step(where="container_host", command="docker run -e NVIDIA_IMEX_CHANNELS=0 …"),
                Step(where="env", command="export NCCL_MNNVL_ENABLE=0", note="stopgap"),
            ],
            safety="careful",
            verify="nvidia-imex-ctl -N",
        )


why_did_the_job_fail = by_message(
    "why_did_the_job_fail",
    "host",
    NcclUnhandledError,
    NcclDuplicateGpu,
    NcclNoInterface,
    NcclVersionMismatchRanks,
    CollectiveTimeout,
    RendezvousUnreachable,
    P2pUnsupportedPair,
    P2pBrokenByAcsIommu,
    ImexDomainNotReady,
)
