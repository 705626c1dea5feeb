"""A machine, a paste and a project with secrets in every place where a collector or a reader could have put them.

The tokens are put together here, so that no scanner takes them for real ones.
"""

from __future__ import annotations

from msgspec.structs import replace

from envcheck.facts import (
    Bench,
    BenchDevice,
    Distribution,
    GpuProcess,
    Interpreter,
    Jupyter,
    Kernel,
    NumericCheck,
    Origin,
    Plugin,
    PluginFacts,
    Snapshot,
    Symptom,
    Target,
    Timing,
    TorchInstall,
    TorchRuntime,
    Unread,
    Variable,
)
from envcheck.testing import machine

UUID = "GPU-0badf00d-1234-5678-9abc-def012345678"
SECRETS = {
    "user": "mallory",
    "other user": "trudybird",
    "user on Windows": "Peggy Sue",
    "host": "gpubox42",
    "host given": "login7xy",
    "project": "moonshot",
    "project of root": "skunkworks",
    "environment": "envforacme",
    "address": "10.20.30.40",
    "address 6": "fe80::dead:beef",
    "mail": "mallory@corp.example.com",
    "login": "s3cr3tpw",
    "proxy": "pr0xy@p4ss",
    "token of Hugging Face": "hf_" + "abcdefghijklmnopqrstuv",
    "token of GitHub": "ghp_" + "0123456789abcdefghijABCDEFGHIJ012345",
    "token of OpenAI": "sk-proj-" + "A1b2C3d4E5f6G7h8I9j0",
    "key of AWS": "AKIA" + "ABCDEFGHIJKLMNOP",
    "key of wandb": "0123abcd4567ef890123abcd4567ef890123abcd",
    "variable": "hunter2hunter2",
    "uuid": "1234-5678-9abc-def012345678",
    "serial": "1650124014249",
    "process": "stealthminer",
    "mac": "de:ad:be:ef:00:01",
}
USER, HOST, PROJECT, TOKEN = SECRETS["user"], SECRETS["host"], SECRETS["project"], SECRETS["token of Hugging Face"]
HOME = f"/home/{USER}"
ROOTS_HOME = "/root"
"""Of every Linux: it stands below no /home, and its folders are somebody's all the same."""
PYTHON = f"{HOME}/{PROJECT}/.venv/bin/python"
ENV = f"{HOME}/miniconda3/envs/{SECRETS['environment']}"
WINDOWS = rf"C:\Users\{SECRETS['user on Windows']}\{PROJECT}"
PROXY = f"http://corp:{SECRETS['proxy']}@proxy.example:3128"
INDEX = f"https://bob:{SECRETS['login']}@index.example/simple?token={TOKEN}"
TRACEBACK = (
    f'Traceback (most recent call last):\n  File "{HOME}/{PROJECT}/train.py", line 3, in <module>\n'
    f'  File "/home/{SECRETS["other user"]}/lib/python3.11/site-packages/torch/cuda/__init__.py", line 9, in init\n'
    f"RuntimeError: rendezvous at tcp://{SECRETS['address']}:29500 of {USER}@{HOST}:~$ failed; "
    f"mail {SECRETS['mail']}; {INDEX}; {PROXY}; {WINDOWS} {ROOTS_HOME}/{SECRETS['project of root']}/x.py "
    f"{SECRETS['token of GitHub']} {SECRETS['token of OpenAI']} wandb login {SECRETS['key of wandb']}"
)

KEPT = ("2.14.1+cu130", "535.183.06", "NVIDIA GeForce RTX 4090", "sm_90")
"""What a diagnosis needs: the build of torch, the driver, the card."""


def planted() -> Snapshot:
    """A machine whose driver is too old for its torch, with every secret in it."""
    whole = machine("driver-too-old").snapshot
    assert not isinstance(whole.nvml, Unread)
    assert isinstance(whole.nvml.gpus, list)
    assert isinstance(whole.interpreters, list)
    processes = [
        GpuProcess(pid=7, name=f"/opt/{SECRETS['process']} --wallet {USER}", memory_bytes=1 << 30, own=False),
        GpuProcess(pid=8, name=PYTHON, memory_bytes=1 << 20, own=True),
    ]
    gpu = replace(
        whole.nvml.gpus[0],
        uuid=UUID,
        serial=SECRETS["serial"],
        processes=processes,
        error_text=f"lost on {HOST}, board {SECRETS['serial']}",
    )
    log = [
        f"Nov 24 12:00:00 {HOST} kernel: NVRM: GPU Board Serial Number: {SECRETS['serial']}",
        f"NVRM: Xid (PCI:0000:17:00): 31, pid=7, name={SECRETS['process']}, Ch 1",
        f"eth0: link {SECRETS['mac']} {SECRETS['address 6']}",
    ]
    interpreter = replace(
        whole.interpreters[0],
        executable=PYTHON,
        found_by=["VIRTUAL_ENV"],
        name=SECRETS["environment"],
        prefix=ENV,
        sys_path=[f"{HOME}/{PROJECT}", f"{ENV}/lib/python3.11/site-packages"],
        runtime=TorchRuntime(imported=False, import_error=TRACEBACK, traceback=TRACEBACK),
        torch=replace(_torch(whole.interpreters[0]), location=f"{ENV}/lib/python3.11/site-packages/torch"),
    )
    assert isinstance(interpreter.distributions, list)
    project = Distribution(name=PROJECT, version="0.1", direct_url=f"file://{HOME}/{PROJECT}")
    interpreter = replace(interpreter, distributions=[*interpreter.distributions, project])
    other = Interpreter(executable=f"{ROOTS_HOME}/{SECRETS['project of root']}/.venv/bin/python", found_by=["PATH"])
    kernel = Kernel(
        name=SECRETS["environment"],
        path=f"{HOME}/.local/share/jupyter/kernels/{SECRETS['environment']}/kernel.json",
        argv=[f"{HOME}/{PROJECT}/gone/bin/python", "-m", "ipykernel_launcher"],
        variables=[f"HF_TOKEN={TOKEN}", "OMP_NUM_THREADS=4"],
        interpreter=None,
    )
    environment = replace(
        whole.environment,  # type: ignore[type-var]
        home=HOME,
        working_directory=f"{HOME}/{PROJECT}",
        path=[f"{HOME}/bin", "/usr/bin"],
        variables=[
            Variable(name="CUDA_VISIBLE_DEVICES", value=UUID),
            Variable(name="LD_LIBRARY_PATH", value=f"{ENV}/lib:/usr/local/cuda/lib64"),
            Variable(name="AWS_SECRET_ACCESS_KEY", value=SECRETS["variable"]),
            Variable(name="WANDB_API_KEY", value=SECRETS["key of wandb"]),
            Variable(name="PIP_INDEX_URL", value=INDEX),
            Variable(name="https_proxy", value=PROXY),
            Variable(name="MASTER_ADDR", value=HOST),
            Variable(name="CONDA_DEFAULT_ENV", value=SECRETS["environment"]),
            Variable(name="SOME_SETTING", value=SECRETS["variable"]),
        ],
    )
    return replace(
        whole,
        target=Target(interpreter=0, chosen_by=f"--env {SECRETS['environment']}", disagreements=[f"python: {PYTHON}"]),
        host=replace(
            whole.host,  # type: ignore[type-var]
            group_names=["docker", USER],
            kernel_cmdline=f"BOOT_IMAGE=/vmlinuz ro root=UUID=0badf00d-{SECRETS['uuid']} ip={SECRETS['address']} "
            f"systemd.hostname={HOST} cloud.pw={SECRETS['variable']} nvidia-drm.modeset=1",
        ),
        driver=replace(whole.driver, recovery_log=log),  # type: ignore[type-var]
        nvml=replace(whole.nvml, gpus=[gpu, *whole.nvml.gpus[1:]]),
        environment=environment,
        interpreters=[interpreter, other],
        jupyter=Jupyter(kernels=[kernel]),
        plugins={
            "collectors.acme": Plugin(
                group="collectors",
                name="acme",
                facts=PluginFacts(
                    values={
                        "owner": USER,
                        "node": HOST,
                        "licence_key": SECRETS["variable"],
                        "seats": {USER: 3},
                        "hosts": [f"{SECRETS['host given']}.corp.example.com"],
                    }
                ),
            )
        },
        symptoms=[
            Symptom(id="no-cuda-gpus", text=TRACEBACK, source="torch probe", suggests="cvd-empty"),
            Symptom(
                id="x",
                text=f"key {SECRETS['key of AWS']} on {SECRETS['host given']} of {USER}, {SECRETS['variable']}",
                source="line 1",
            ),
        ],
        origins=[
            Origin(pointer="/nvml/gpus/0/processes/0", source=f"line 9: | 0 7 C {SECRETS['process']} 1GiB |"),
            Origin(pointer="/host/uid", source=f"line 10: {USER}@{HOST}:~$ id"),
        ],
    )


def _torch(interpreter: Interpreter) -> TorchInstall:
    assert isinstance(interpreter.torch, TorchInstall)
    return interpreter.torch


def benchmark() -> Bench:
    """What a benchmark on that machine leaves."""
    device = BenchDevice(
        device="cuda:0",
        name="NVIDIA GeForce RTX 4090",
        uuid=UUID,
        trouble=None,
        torch="2.14.1+cu130",
        checks=[NumericCheck(id="chain-rule", wrong=f"{HOST}: {TRACEBACK}", unavailable=None)],
        timings=[Timing(workload="copy", size="64 MiB", unavailable=TRACEBACK)],
    )
    return Bench(device="auto", python=PYTHON, devices=[device])


PASTE = f"""\
{USER}@{HOST}:/home/{USER}/{PROJECT}$ export HF_TOKEN={TOKEN} WANDB_API_KEY={SECRETS["key of wandb"]}
{USER}@{HOST}:/home/{USER}/{PROJECT}$ python train.py
Traceback (most recent call last):
  File "{ENV}/lib/python3.11/site-packages/torch/cuda/__init__.py", line 1, in _lazy_init
AssertionError: Torch not compiled with CUDA enabled ({PYTHON}, {SECRETS["mail"]}, {SECRETS["token of GitHub"]})
RuntimeError: No CUDA GPUs are available from [{SECRETS["address"]}] [{SECRETS["address 6"]}] {UUID} {SECRETS["mac"]}
RuntimeError: CUDA error: out of memory; {SECRETS["key of AWS"]} {SECRETS["token of OpenAI"]}
RuntimeError: CUDA error: invalid device ordinal, password={SECRETS["login"]}
RuntimeError: CUDA error: no kernel image is available for execution on the device {INDEX} {PROXY}
RuntimeError: NCCL error: unhandled system error, {ROOTS_HOME}/{SECRETS["project of root"]}/x.py {WINDOWS}\\train.py
ImportError: libcudart.so.12: cannot open shared object file "/home/{SECRETS["other user"]}/my {PROJECT}/lib"
CUDA error: all CUDA-capable devices are busy or unavailable MASTER_ADDR={SECRETS["host given"]}
[Mon Nov 24 12:00:00 2026] NVRM: Xid (PCI:0000:17:00): 31, pid=7, name={SECRETS["process"]}, Ch 00000010
Nov 24 12:00:00 {HOST} kernel: NVRM: Xid (PCI:0000:17:00): 79, GPU Board Serial Number: {SECRETS["serial"]}
GPU 0: NVIDIA A30 (UUID: {UUID})
PyTorch version: 2.9.1+cpu
conda activate {SECRETS["environment"]}
"""

OF_NO_TEXT = ("variable",)
"""Secrets that only a field's meaning shows to be one: they stand in the machine, not in the paste."""

REQUIREMENTS = f"""\
# of {SECRETS["mail"]}, on {HOST}
--index-url {INDEX}
torch @ {INDEX.partition("?")[0]}/torch-2.9.1%2Bcu130-cp311-cp311-linux_x86_64.whl
torch==2.9.1+cu999
torchvision==0.1 ; python_version > "3"
moonshot @ file://{HOME}/{PROJECT}
"""


def leaks(text: str) -> list[str]:
    """The secrets that a text shows, in the spelling of JSON too, or folded over two lines."""
    text = text.replace("\\\\", "\\")
    unfolded = "".join(text.split())
    return [what for what, secret in SECRETS.items() if secret in text or "".join(secret.split()) in unfolded]
