"""How a GPU is divided and joined: MIG devices, NVLink, the NVSwitch fabric, pairs of GPUs."""

import ctypes

from .answer import unread
from .nvml_session import Gone
from .nvml_words import (
    FABRIC_STATES,
    INVALID_ARGUMENT,
    NOT_SUPPORTED,
    NVLINK_GENERATIONS,
    P2P_STATUS,
    TOPOLOGY,
    fabric_health,
    word,
)
from .shared_library import bus_id

SWITCH = 2  # NVML_NVLINK_DEVICE_TYPE_SWITCH
READ = 0  # NVML_P2P_CAPS_INDEX_READ
COUNTERS = (("replay_errors", 0), ("recovery_errors", 1), ("crc_errors", 2))  # nvmlNvLinkErrorCounter_t
NOT_FOUND = 6


# -- the fabric --------------------------------------------------------------------------------------------------


class FabricInfo(ctypes.Structure):
    """nvmlGpuFabricInfo_t, 28 bytes."""

    _fields_ = [
        ("uuid", ctypes.c_ubyte * 16),
        ("status", ctypes.c_uint),
        ("clique", ctypes.c_uint),
        ("state", ctypes.c_ubyte),
    ]


class FabricInfoV(ctypes.Structure):
    """nvmlGpuFabricInfo_v2_t, 36 bytes, of driver 550 and newer; later versions only add to it."""

    VERSION = 0x2000024
    _fields_ = [("version", ctypes.c_uint)] + FabricInfo._fields_ + [("health_mask", ctypes.c_uint)]


def fabric(board):
    """State of the registration with the NVSwitch fabric; driver 550 and newer tell its health as well."""
    session = board.session
    facts = {"fabric_state": "not_supported", "fabric_status": None, "fabric_clique": None, "fabric_health": []}
    try:
        info = session.call((newer_form, session, board.handle), (older_form, session, board.handle))
    except Exception as error:
        if isinstance(error, session.Error) and error.value == NOT_SUPPORTED:
            return facts
        return dict.fromkeys(facts, session.excuse(error))
    facts["fabric_state"] = word(FABRIC_STATES, "fabric state")(info.state)
    if info.state:
        facts.update(fabric_status=info.status, fabric_clique=info.clique)
    if isinstance(info, FabricInfoV):
        facts["fabric_health"] = fabric_health(info.health_mask)
    else:
        facts["fabric_health"] = unread("unsupported", "the driver is older than 550")
    return facts


def newer_form(session, handle):
    info = FabricInfoV(version=FabricInfoV.VERSION)
    session.raw("nvmlDeviceGetGpuFabricInfoV", handle, ctypes.byref(info))
    return info


def older_form(session, handle):
    info = FabricInfo()
    session.raw("nvmlDeviceGetGpuFabricInfo", handle, ctypes.byref(info))
    return info


# -- NVLink ------------------------------------------------------------------------------------------------------


def nvlinks(board):
    """One record per link; an empty list for a board without."""
    session, found = board.session, []
    ends = session.links.setdefault(board.record["index"], [])
    for link in range(getattr(session.binding, "NVML_NVLINK_MAX_LINKS", 18)):
        try:
            active = bool(session.call(("nvmlDeviceGetNvLinkState", board.handle, link)))
        except session.Error as error:
            if error.value == INVALID_ARGUMENT or not found and error.value == NOT_SUPPORTED:
                break
            if error.value == NOT_SUPPORTED:
                continue
            why = session.excuse(error)
            if not found:
                return why
            found.append({"link": link, "active": why})
            continue
        found.append(link_facts(board, link, active, ends))
    return found


def link_facts(board, link, active, ends):
    facts = {"link": link, "active": active}
    facts["version"] = board.ask([board.get("NvLinkVersion", link)], word(NVLINK_GENERATIONS, "NVLink version"))
    for fact, counter in COUNTERS:
        facts[fact] = board.ask([board.get("NvLinkErrorCounter", link, counter)])
    facts["remote_bus_id"] = board.ask([board.get("NvLinkRemotePciInfo", link)], remote)
    if active:
        kind = board.ask([board.get("NvLinkRemoteDeviceType", link)])
        ends.append((facts["remote_bus_id"], kind == SWITCH))
    return facts


def remote(info):
    return bus_id(info.busId or info.busIdLegacy)


# -- MIG ---------------------------------------------------------------------------------------------------------


def mig_devices(board):
    """The MIG devices of a card; empty where MIG is off or not there."""
    session, mode = board.session, board.record["mig_mode"]
    board.mig_handles = []
    if mode is not True:
        return mode if isinstance(mode, dict) else []
    try:
        slots = session.call(("nvmlDeviceGetMaxMigDeviceCount", board.handle))
    except session.Error as error:
        return session.excuse(error)
    found = []
    for slot in range(slots):
        try:
            handle = session.call(("nvmlDeviceGetMigDeviceHandleByIndex", board.handle, slot))
        except session.Error as error:
            if error.value == NOT_FOUND:  # an empty slot
                continue
            return session.excuse(error)
        board.mig_handles.append(handle)
        found.append(mig_facts(board, handle))
    return found


def mig_facts(board, handle):
    return {
        "uuid": board.ask([("nvmlDeviceGetUUID", handle)]),
        "profile": board.ask([("nvmlDeviceGetName", handle)], profile),
        "gpu_instance": board.ask([("nvmlDeviceGetGpuInstanceId", handle)]),
        "compute_instance": board.ask([("nvmlDeviceGetComputeInstanceId", handle)]),
        "memory_bytes": board.ask([("nvmlDeviceGetMemoryInfo", handle)], lambda told: told.total),
        "multiprocessors": board.ask([("nvmlDeviceGetAttributes_v2", handle)], lambda told: told.multiprocessorCount),
    }


def profile(name):
    """``1g.10gb`` out of "NVIDIA H100 80GB HBM3 MIG 1g.10gb"."""
    return name.rpartition(" MIG ")[2]


# -- pairs -------------------------------------------------------------------------------------------------------


def pairs(session, records):
    """Every pair of GPUs that answered: may one read the other's memory, and over what?"""
    found = []
    alive = [record for record in records if record["index"] in session.handles]
    for place, first in enumerate(alive):
        for second in alive[place + 1 :]:
            a, b = first["index"], second["index"]
            left, right = session.handles[a], session.handles[b]
            facts = {"a": a, "b": b}
            facts["read_status"] = pair_told(
                session, word(P2P_STATUS, "P2P status"), ("nvmlDeviceGetP2PStatus", left, right, READ)
            )
            links = joining(session, first, second)
            facts["path"] = (
                "NV%d" % links
                if links
                else pair_told(
                    session, word(TOPOLOGY, "topology level"), ("nvmlDeviceGetTopologyCommonAncestor", left, right)
                )
            )
            found.append(facts)
    return found


def pair_told(session, read, form):
    try:
        return read(session.call(form))
    except session.Error as error:
        try:
            return session.excuse(error)
        except Gone as gone:
            return unread("missing", gone.text)


def joining(session, first, second):
    """NVLinks between two GPUs: those that end at the other, or the lesser number of those that end at a switch."""
    mine, theirs = session.links.get(first["index"], []), session.links.get(second["index"], [])
    straight = sum(1 for end, _ in mine if end == second.get("bus_id") and isinstance(end, str))
    return straight or min(sum(switch for _, switch in mine), sum(switch for _, switch in theirs))
