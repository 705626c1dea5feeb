"""``nvidia-smi -q -x`` of a scenario, so that the two witnesses agree unless a test makes them differ.

Element names and wording are those of drivers 550 to 595 (DTD nvsmi_device_v12).  Only what a
diagnosis reads is written; "N/A" stands where the board does not support a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from xml.sax.saxutils import escape

from .scenario import Scenario

WORDS: dict[str, dict[str, str]] = {
    "brand": {"2": "Tesla", "5": "GeForce", "14": "NVIDIA"},
    "architecture": {"4": "Pascal", "5": "Volta", "6": "Turing", "7": "Ampere", "8": "Ada Lovelace"}
    | {"9": "Hopper", "10": "Blackwell"},
    "switch": {"0": "Disabled", "1": "Enabled"},
    "yes": {"0": "No", "1": "Yes"},
    "virtualization": {"0": "None", "1": "Pass-Through", "2": "VGPU", "3": "Host VGPU", "4": "Host VSGA"},
    "compute": {"0": "Default", "1": "Exclusive_Thread", "2": "Prohibited", "3": "Exclusive_Process"},
    "fabric": {"0": "Not Supported", "1": "Not Started", "2": "In Progress", "3": "Completed"},
    "recovery": {"0": "None", "1": "Reset", "2": "Reboot", "3": "Drain P2P", "4": "Drain and Reset"},
}

# Element (indented below its group), how it is written, and the scenario's key; "a/b" takes b where a is not set.
LAYOUT = """
product_name              text           name
product_brand             brand          brand
product_architecture      architecture   architecture
display_mode              switch         display_mode
display_active            switch         display_active
persistence_mode          switch         persistence
mig_mode
  current_mig             switch         mig_mode
  pending_mig             switch         mig_pending/mig_mode
mig_devices               mig            -
serial                    text           serial
uuid                      text           uuid
minor_number              text           minor
vbios_version             text           vbios
gpu_virtualization_mode
  virtualization_mode     virtualization virtualization
gpu_recovery_action       recovery       field.230
gsp_firmware_version      text           gsp_firmware
pci
  pci_device_id           device_id      pci_device_id
  pci_bus_id              bus_id         bus_id
  pci_sub_system_id       subsystem      pci_subsystem_id
  pci_gpu_link_info
    pcie_gen
      max_link_gen        text           pcie_generation_max
      current_link_gen    text           pcie_generation
      max_device_link_gen text           pcie_generation_card_max
    link_widths
      max_link_width      lanes          pcie_width_max
      current_link_width  lanes          pcie_width
  replay_counter          text           pcie_replays
fan_speed                 percent        fan.0.percent
performance_state         pstate         performance_state
clocks_event_reasons      reasons        clock_reasons
fb_memory_usage
  total                   mib            memory_total_bytes
  reserved                mib            memory_reserved_bytes
  used                    mib            memory_used_bytes
  free                    free           memory_total_bytes
bar1_memory_usage
  total                   mib            bar1_total_bytes
  used                    mib            bar1_used_bytes
compute_mode              compute        compute_mode
utilization
  gpu_util                percent        utilization_percent
  memory_util             percent        memory_utilization_percent
ecc_mode
  current_ecc             switch         ecc
  pending_ecc             switch         ecc_pending/ecc
ecc_errors
  volatile
    dram_correctable      text           ecc_volatile_corrected
    dram_uncorrectable    text           ecc_volatile_uncorrected
  aggregate
    dram_correctable      text           ecc_aggregate_corrected
    dram_uncorrectable    text           ecc_aggregate_uncorrected
    sram_threshold_exceeded yes          sram.threshold_exceeded
retired_pages
  multiple_single_bit_retirement
    retired_count         length         retired_pages.0
  double_bit_retirement
    retired_count         length         retired_pages.1
  pending_retirement      yes            retired_pages_pending
remapped_rows             rows           remapped_rows_corrected
temperature
  gpu_temp                celsius        temperature_c
  gpu_temp_tlimit         celsius        temperature_margin_c
  gpu_temp_max_threshold  celsius        temperature_shutdown_c
  gpu_temp_slow_threshold celsius        temperature_slowdown_c
  memory_temp             celsius        field.82
gpu_power_readings
  average_power_draw      watt           power_mw
  instant_power_draw      watt           power_mw
  current_power_limit     watt           power_limit_enforced_mw
  requested_power_limit   watt           power_limit_mw
  default_power_limit     watt           power_limit_default_mw
  min_power_limit         watt           power_limit_min_mw
  max_power_limit         watt           power_limit_max_mw
clocks
  graphics_clock          mhz            clock_graphics_mhz
  sm_clock                mhz            clock_sm_mhz
  mem_clock               mhz            clock_memory_mhz
  video_clock             mhz            clock_video_mhz
applications_clocks
  graphics_clock          mhz            clock_graphics_application_mhz
  mem_clock               mhz            clock_memory_application_mhz
default_applications_clocks
  graphics_clock          mhz            clock_graphics_default_application_mhz
  mem_clock               mhz            clock_memory_default_application_mhz
max_clocks
  graphics_clock          mhz            clock_graphics_max_mhz
  sm_clock                mhz            clock_sm_max_mhz
  mem_clock               mhz            clock_memory_max_mhz
  video_clock             mhz            clock_video_max_mhz
max_customer_boost_clocks
  graphics_clock          mhz            clock_graphics_boost_mhz
fabric
  state                   fabric         fabric.state
  status                  registration   fabric.state
processes                 processes      -
"""

REASONS = {
    0x1: "gpu_idle",
    0x2: "applications_clocks_setting",
    0x4: "sw_power_cap",
    0x8: "hw_slowdown",
    0x40: "hw_thermal_slowdown",
    0x80: "hw_power_brake_slowdown",
    0x10: "sync_boost",
    0x20: "sw_thermal_slowdown",
    0x100: "display_clocks_setting",
}

PLAIN: dict[str, Callable[[str], str]] = {
    "text": str,
    "percent": "{} %".format,
    "celsius": "{} C".format,
    "mhz": "{} MHz".format,
    "lanes": "{}x".format,
    "pstate": "P{}".format,
    "mib": lambda value: f"{int(value) >> 20} MiB",
    "watt": lambda value: f"{int(value) / 1000:.2f} W",
    "bus_id": lambda value: f"0000{value.upper()}",
    "device_id": lambda value: f"{int(value, 0):04X}10DE",
    "subsystem": lambda value: f"{int(value, 0):08X}",
    "registration": lambda value: "Success" if value == "3" else "N/A",
}


def smi_xml(scenario: Scenario) -> str:
    """The whole document."""
    version = int(scenario.get("cuda_version", "0"))
    gpus = "".join(_Gpu(scenario, index).render() for index in range(scenario.gpus))
    return (
        '<?xml version="1.0" ?>\n<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">\n<nvidia_smi_log>\n'
        "<timestamp>Mon Nov 24 12:00:00 2025</timestamp>\n"
        f"<driver_version>{scenario.get('driver_version')}</driver_version>\n"
        f"<cuda_version>{version // 1000}.{version % 1000 // 10}</cuda_version>\n"
        f"<attached_gpus>{scenario.gpus}</attached_gpus>\n{gpus}</nvidia_smi_log>\n"
    )


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>\n"


class _Gpu:
    """Writes one GPU by the layout."""

    def __init__(self, scenario: Scenario, index: int) -> None:
        self.scenario, self.index = scenario, index

    def raw(self, keys: str) -> str | None:
        """What the first of "a/b" that is set answers first."""
        answers = (self.scenario.first(f"gpu.{self.index}.{key}") for key in keys.split("/"))
        return next((answer for answer in answers if answer is not None), None)

    def render(self) -> str:
        text = f'<gpu id="{self.leaf("bus_id", "bus_id")}">\n'
        open_groups: list[str] = []
        for line in LAYOUT.strip().splitlines():
            depth = (len(line) - len(line.lstrip())) // 2
            while len(open_groups) > depth:
                text += f"</{open_groups.pop()}>\n"
            name, *how = line.split()
            if not how:
                text += f"<{name}>\n"
                open_groups.append(name)
            elif how[0] in ("mig", "reasons", "rows", "processes"):
                inner = "".join(getattr(self, how[0])())
                text += f"<{name}>\n{inner}</{name}>\n" if inner else _element(name, "N/A")
            else:
                text += _element(name, self.leaf(*how))
        return text + "</gpu>\n"

    def leaf(self, how: str, keys: str) -> str:
        value = self.raw(keys)
        if value is None:
            return "N/A"
        if how == "length":
            return str(len(value.replace(",", " ").split()))
        if how == "free":
            taken = sum(int(self.raw(f"memory_{kind}_bytes") or "0") for kind in ("reserved", "used"))
            return f"{(int(value) - taken) >> 20} MiB"
        return WORDS[how].get(value, "N/A") if how in WORDS else PLAIN[how](value)

    def reasons(self) -> Iterator[str]:
        bits = int(self.raw("clock_reasons") or "0", 0)
        for bit, name in REASONS.items() if self.raw("clock_reasons") else ():
            yield _element(f"clocks_event_reason_{name}", "Active" if bits & bit else "Not Active")

    def rows(self) -> Iterator[str]:
        if (corrected := self.raw("remapped_rows_corrected")) is not None:
            yield _element("remapped_row_corr", corrected)
            yield _element("remapped_row_unc", self.raw("remapped_rows_uncorrected") or "0")
            yield _element("remapped_row_pending", WORDS["yes"][self.raw("remapped_rows_pending") or "0"])
            yield _element("remapped_row_failure", WORDS["yes"][self.raw("remapped_rows_failed") or "0"])

    def mig(self) -> Iterator[str]:
        for slot in range(8):
            if self.raw(f"mig.{slot}.uuid") is None:
                continue
            total, used = (int(self.raw(f"mig.{slot}.memory_{kind}_bytes") or "0") >> 20 for kind in ("total", "used"))
            yield (
                f"<mig_device>\n<index>{slot}</index>\n"
                f"<gpu_instance_id>{self.raw(f'mig.{slot}.gpu_instance')}</gpu_instance_id>\n"
                f"<compute_instance_id>{self.raw(f'mig.{slot}.compute_instance')}</compute_instance_id>\n"
                "<device_attributes>\n<shared>\n"
                f"<multiprocessor_count>{self.raw(f'mig.{slot}.multiprocessors')}</multiprocessor_count>\n"
                "</shared>\n</device_attributes>\n"
                f"<fb_memory_usage>\n<total>{total} MiB</total>\n<used>{used} MiB</used>\n"
                f"<free>{total - used} MiB</free>\n</fb_memory_usage>\n</mig_device>\n"
            )

    def processes(self) -> Iterator[str]:
        number = 0
        while (pid := self.raw(f"process.{number}.pid")) is not None:
            kind = {"graphics": "G", "mps": "M+C"}.get(self.raw(f"process.{number}.kind") or "", "C")
            memory = self.raw(f"process.{number}.memory_bytes")
            yield (
                f"<process_info>\n<pid>{pid}</pid>\n<type>{kind}</type>\n"
                + _element("process_name", self.raw(f"process.{number}.name") or "[Not Found]")
                + f"<used_memory>{f'{int(memory) >> 20} MiB' if memory else 'N/A'}</used_memory>\n</process_info>\n"
            )
            number += 1
