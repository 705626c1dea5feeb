"""What did a program do with CUDA?  Errors that no snapshot can show; a message names them."""

from __future__ import annotations

from envcheck.judge import Case, Fix, Rule, Step, by_message


class PtxUnsupportedToolchain(Rule):
    """PTX from a toolkit newer than the driver had to be compiled, and the driver cannot (222).

    What it looks at
        The message of CUDA error 222.
    Why it matters
        Minor-version compatibility covers compiled kernels, never PTX: Triton, numba, CuPy or an extension built
        with +PTX then fails on a driver that runs torch itself well.
    How to mend it
        Upgrade the driver, or pin the producer of the PTX to the driver's CUDA level.
    Cannot tell when
        No message was seen.
    References
        NVIDIA CUDA Compatibility guide, minor version compatibility, PTX.
    """

    code, name, rung = "DRV401", "ptx-unsupported-toolchain", "cuda_driver"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Upgrade the driver, or make PTX that it understands",
            steps=[
                Step(where="host", tool="apt", command="sudo ubuntu-drivers install", root=True, reboot=True),
                Step(
                    where="env",
                    tool="conda",
                    command="conda install -c conda-forge 'cuda-version=<the driver level of nvidia-smi>'",
                    note="instead, for numba and CuPy",
                ),
            ],
            safety="careful",
            verify="run the failing program again",
        )


class ForkAfterCudaInit(Rule):
    """CUDA was started in a parent process and used again in a forked child.

    What it looks at
        The message of torch about re-initialising CUDA in a forked subprocess.
    Why it matters
        A CUDA context does not survive a fork; Linux forks by default up to Python 3.13.
    How to mend it
        Start workers by spawn (or forkserver), keep CUDA out of Dataset code, and let is_available() ask NVML.
    Cannot tell when
        No message was seen.
    References
        torch/cuda/__init__.py; PyTorch multiprocessing notes.
    """

    code, name, rung = "DRV402", "fork-after-cuda-init", "torch_runtime"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Start the workers without fork",
            steps=[
                Step(
                    where="env",
                    command="torch.multiprocessing.set_start_method('spawn')",
                    note="in the program, under if __name__ == '__main__':",
                ),
                Step(
                    where="env",
                    command="export PYTORCH_NVML_BASED_CUDA_CHECK=1",
                    note="makes torch.cuda.is_available() in the parent harmless",
                ),
            ],
            verify="run the failing program again",
        )


class InvalidDeviceOrdinal(Rule):
    """The program asks for a GPU number that it cannot see.

    What it looks at
        The messages of CUDA error 101 and of torch about an invalid device id.
    Why it matters
        Inside CUDA_VISIBLE_DEVICES the numbers begin again at 0, and a launcher may start more ranks than cards.
    How to mend it
        Use cuda:0 inside the mask, or start as many processes as there are visible cards.
    Cannot tell when
        No message was seen.
    References
        CUDA Runtime API, error 101.
    """

    code, name, rung = "DRV403", "invalid-device-ordinal", "torch_runtime"

    @staticmethod
    def mend(case: Case) -> Fix:
        count = case.maybe(lambda: case.known("/cuda/device_count", int))
        cards = str(count) if isinstance(count, int) else "<number of visible GPUs>"
        return Fix(
            title="Ask for devices that are visible",
            steps=[
                Step(where="env", command=f"torchrun --nproc-per-node={cards} …", note="one process a visible card"),
                Step(where="env", command="device = 'cuda:0'", note="in the program: numbers begin at 0 in the mask"),
            ],
            verify='python -c "import torch; print(torch.cuda.device_count())"',
        )


class StickyErrorMisattributed(Rule):
    """A kernel failed earlier and the error surfaced at a later, innocent call.

    What it looks at
        The messages about a device-side assert or an illegal memory access.
    Why it matters
        Kernels run asynchronously and the error sticks: the traceback points elsewhere, and every later CUDA call
        fails as well.  It is the program's own fault (a label out of range, a wrong index), not the machine's.
    How to mend it
        Run once with synchronous launches, or on the CPU, to see the true line; restart the process.
    Cannot tell when
        No message was seen.
    References
        PyTorch CUDA semantics, asynchronous execution; NVIDIA Xid 13 and 31.
    """

    code, name, rung = "DRV404", "sticky-error-misattributed", "torch_runtime"
    severity = "warning"  # nothing is wrong with the machine or its software: an error would say so

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Find the kernel that failed",
            steps=[
                Step(where="env", command="CUDA_LAUNCH_BLOCKING=1 python …", note="or run the same input on the CPU")
            ],
            verify="run the failing program again in a new process",
        )


class OomOwnProcess(Rule):
    """The program itself needs more GPU memory than there is, or its memory is fragmented.

    What it looks at
        The message of torch's OutOfMemoryError, which tells what this process holds and what it reserved.
    Why it matters
        No other process is to blame: only the program's own needs or its allocation pattern can change.
    How to mend it
        Smaller batch, mixed precision, gradient checkpointing; with much reserved but unallocated memory
        expandable segments.
    Cannot tell when
        No message was seen.
    References
        PyTorch CUDA semantics, memory management.
    """

    code, name, rung = "RUN301", "oom-own-process", "torch_runtime"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Need less, or waste less",
            steps=[
                Step(
                    where="env", command="export PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True", note="fragmentation"
                ),
                Step(where="env", note="in the program: smaller batch, torch.autocast, gradient checkpointing"),
            ],
            verify="run the failing program again",
        )


what_did_the_program_do = by_message(
    "what_did_the_program_do",
    "host",
    PtxUnsupportedToolchain,
    ForkAfterCudaInit,
    InvalidDeviceOrdinal,
    StickyErrorMisattributed,
)

did_the_program_need_too_much = by_message("did_the_program_need_too_much", "gpu", OomOwnProcess)
