"""Does something hold the card's clocks down?"""

from __future__ import annotations

from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.rules.gauges import gauges


class ThermalThrottling(Rule):
    """The card is too hot and lowers its clocks.

    What it looks at
        The reasons that the driver gives for the present clocks, and the temperature against its slowdown point.
    Why it matters
        Work goes on at a fraction of the speed, and nothing in the program shows why.
    How to mend it
        Air flow, fans, dust, room temperature; a lower power limit as a stopgap.
    Cannot tell when
        The driver does not answer for this card.  One reading of the hardware reason alone is not enough: it can
        flash when the performance state changes, so the temperature must agree.
    References
        nvmlDeviceGetCurrentClocksEventReasons; NVIDIA DCGM.
    """

    code, name, rung = "SPD201", "thermal-throttling", "speed"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Cool the card",
            steps=[
                Step(where="host", note="check fans, dust, air flow and room temperature"),
                Step(where="host", command="sudo nvidia-smi -pl <watts below the default>", root=True, note="stopgap"),
            ],
            verify="nvidia-smi -q -d PERFORMANCE,TEMPERATURE   # under load",
        )


class PowerBrake(Rule):
    """The machine's power supply told the card to slow down.

    What it looks at
        The reasons that the driver gives for the present clocks.
    Why it matters
        The clocks are halved from outside until the chassis lets go.
    How to mend it
        Look into the BMC's log for the power supplies; restore their redundancy.
    Cannot tell when
        The driver does not answer for this card.
    References
        nvmlClocksEventReasonHwPowerBrakeSlowdown (nvml.h).
    """

    code, name, rung = "SPD202", "power-brake", "speed"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Mend the machine's power supply",
            steps=[
                Step(where="host", command="sudo ipmitool sel list | tail -n 20", root=True, note="or the BMC's page")
            ],
            verify="nvidia-smi -q -d PERFORMANCE   # HW Power Brake Slowdown: Not Active",
        )


THERMAL = ("hw_thermal", "sw_thermal")
NEAR_SLOWDOWN_C = 3


@question("gpu", ThermalThrottling, PowerBrake)
def are_the_clocks_held_down(case: Case) -> Problem | None:
    """The external brake is a fact by itself; heat needs the thermometer's word."""
    at = gauges(case)
    reasons = case.present(f"{at}/clock_reasons", list)
    if "hw_power_brake" in reasons:
        return case.problem(
            PowerBrake,
            f"{case.subject.label} is slowed down by the power supply's brake signal",
            cause="the chassis or a power supply asserts the external power brake",
            evidence=[f"{at}/clock_reasons"],
            fix=PowerBrake.mend(case),
        )
    if not any(reason in reasons for reason in THERMAL):
        return None
    temperature = case.present(f"{at}/temperature_c", int)
    limit = case.known(f"{at}/temperature_slowdown_c", int)
    margin = case.known(f"{at}/temperature_margin_c", int) if limit is None else None
    hot = temperature >= limit - NEAR_SLOWDOWN_C if limit is not None else margin is None or margin <= NEAR_SLOWDOWN_C
    if not hot:
        return None
    return case.problem(
        ThermalThrottling,
        f"{case.subject.label} lowers its clocks for heat, at {temperature} °C",
        cause="the cooling does not carry the heat away",
        evidence=[f"{at}/clock_reasons", f"{at}/temperature_c"],
        fix=ThermalThrottling.mend(case),
    )


class PowerCapLowered(Rule):
    """The card's power limit is set below its default.

    What it looks at
        The enforced power limit against the board's default.
    Why it matters
        Under load the card stays below its full speed.  Laptops move the limit by themselves; that is no finding.
    How to mend it
        Set the default limit again, if nobody lowered it on purpose.
    Cannot tell when
        The driver does not answer for this card.  Boards without a power limit are not judged.
    References
        nvmlDeviceGetEnforcedPowerLimit; NVIDIA DCGM, ENFORCED_POWER_LIMIT.
    """

    code, name, rung = "SPD203", "power-cap-lowered", "speed"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Set the default power limit again",
            steps=[Step(where="host", command="sudo nvidia-smi -i <index> -pl <default watts>", root=True)],
            safety="careful",
            verify="nvidia-smi -q -d POWER",
        )


PORTABLE_CHASSIS = (8, 9, 10, 11, 14, 30, 31, 32)
"""DMI chassis types of laptops, tablets and convertibles (DMTF SMBIOS specification, 7.4.1)."""


@question("gpu", PowerCapLowered)
def is_the_power_limit_lowered(case: Case) -> Problem | None:
    """More than one watt below the default: rounding is no lowering."""
    at = gauges(case)
    default = case.present(f"{at}/power_limit_default_w", float)
    limit = case.present(f"{at}/power_limit_w", float)
    if limit >= default - 1.0:
        return None
    if case.known("/host/chassis", int) in PORTABLE_CHASSIS:
        raise NotApplicable("a laptop moves its power limit by itself")
    index = at.rsplit("/", 1)[-1]
    fix = Fix(
        title="Set the default power limit again, if nobody lowered it on purpose",
        steps=[Step(where="host", command=f"sudo nvidia-smi -i {index} -pl {default:.0f}", root=True)],
        safety="careful",
        verify=f"nvidia-smi -q -d POWER -i {index}",
    )
    return case.problem(
        PowerCapLowered,
        f"{case.subject.label} is limited to {limit:.0f} W of its default {default:.0f} W",
        cause="someone lowered the limit with nvidia-smi -pl, or a power tool did",
        evidence=[f"{at}/power_limit_w", f"{at}/power_limit_default_w"],
        fix=fix,
    )


class ClocksLocked(Rule):
    """The card's application clock is set below its default.

    What it looks at
        The application clock against the default application clock, and the reason application_clocks.
    Why it matters
        The card never boosts.  Below the maximum at their default is what V100 and T4 do when healthy.
    How to mend it
        Reset locked and application clocks.
    Cannot tell when
        The driver does not answer for this card.  GeForce boards have no application clocks.
    References
        nvmlDeviceGetApplicationsClock, nvmlDeviceGetDefaultApplicationsClock.
    """

    code, name, rung = "SPD204", "clocks-locked", "speed"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Reset the clocks",
            steps=[Step(where="host", command="sudo nvidia-smi -rgc && sudo nvidia-smi -rac", root=True)],
            safety="careful",
            verify="nvidia-smi -q -d CLOCK",
        )


@question("gpu", ClocksLocked)
def are_the_clocks_set_low(case: Case) -> Problem | None:
    """Only a setting below the board's own default is a lowering."""
    at = gauges(case)
    default = case.present(f"{at}/clock_default_application_sm_mhz", int)
    setting = case.present(f"{at}/clock_application_sm_mhz", int)
    if setting >= default:
        return None
    return case.problem(
        ClocksLocked,
        f"{case.subject.label}: the application clock is set to {setting} MHz, the default is {default} MHz",
        cause="nvidia-smi -ac or -lgc was used and not taken back",
        evidence=[f"{at}/clock_application_sm_mhz", f"{at}/clock_default_application_sm_mhz"],
        fix=ClocksLocked.mend(case),
    )


class PersistenceOff(Rule):
    """The driver forgets the card between programs, so each start costs seconds.

    What it looks at
        Persistence mode of a server's card, and whether nvidia-persistenced runs.
    Why it matters
        Without a client the driver unloads the card's state: the next start takes one to three seconds a card, and
        clock and ECC settings are lost.  On desktops a display keeps the state alive.
    How to mend it
        Enable nvidia-persistenced.
    Cannot tell when
        The driver does not answer for this card.  Windows and WSL have no such mode.
    References
        NVIDIA driver persistence documentation; NVIDIA DCGM, PERSISTENCE_MODE.
    """

    code, name, rung = "SPD205", "persistence-off", "speed"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Keep the driver's state alive",
            steps=[Step(where="host", command="sudo systemctl enable --now nvidia-persistenced", root=True)],
            verify="nvidia-smi --query-gpu=persistence_mode --format=csv",
        )


SERVER_CHASSIS = (17, 23, 28, 29)
"""DMI chassis types of servers: main server, rack mount, blade, blade enclosure (SMBIOS specification, 7.4.1)."""


@question("gpu", PersistenceOff)
def does_the_driver_keep_its_state(case: Case) -> Problem | None:
    """A warning on servers; elsewhere a remark, for a desktop's display keeps the state."""
    if case.known("/host/wsl", int) is not None or case.known("/host/system", str) != "Linux":
        raise NotApplicable("only Linux has persistence mode")
    if case.known("/host/jetson", str) is not None:
        raise NotApplicable("a Jetson's driver stays loaded")
    at = gauges(case)
    if case.present(f"{at}/persistence", bool):
        return None
    if case.known(f"{at}/display_active", bool):
        return None
    if case.known("/container/engine", str) is not None:
        raise NotApplicable("the setting is the host's")
    server = case.maybe(lambda: case.known("/host/chassis", int)) in SERVER_CHASSIS
    return case.problem(
        PersistenceOff,
        f"{case.subject.label}: persistence mode is off and no display uses the card",
        cause="without a client the driver unloads the card's state after each program",
        evidence=[f"{at}/persistence", f"{at}/display_active"],
        fix=PersistenceOff.mend(case),
        severity=None if server else "note",
    )
