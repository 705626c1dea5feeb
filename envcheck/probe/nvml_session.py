"""A session with NVML: calls with their older forms, and what a refusal means."""

import ctypes

from .answer import unread
from .nvml_words import (
    ABSENT,
    DEPRECATED,
    FUNCTION_NOT_FOUND,
    GPU_IS_LOST,
    LIBRARY_NOT_FOUND,
    NO_PERMISSION,
    NOT_SUPPORTED,
    RESET_REQUIRED,
    TIMEOUT,
    VERSION_MISMATCH,
)
from .shared_library import plain

NEXT_FORM = (FUNCTION_NOT_FOUND, VERSION_MISMATCH, DEPRECATED)


class Gone(BaseException):
    """The GPU is lost or waits for a reset: nothing more can be asked of it.

    No Exception, so that no wall around a single fact stops it on the way to the next GPU.
    """

    def __init__(self, code, text):
        BaseException.__init__(self, text)
        self.code, self.text = code, text


class Session(object):
    """``binding`` is the module pynvml, ``library`` the loaded NVML."""

    def __init__(self, binding, library):
        self.binding, self.library = binding, library
        binding.nvmlLib = library
        self.Error = binding.NVMLError
        self.handles = {}  # index: handle, of the GPUs that answered
        self.links = {}  # index: [(bus id at the other end, is it a switch)] of the active NVLinks
        self.version = ""  # of the driver

    def start(self):
        """(code, words) of nvmlInit; (0, None) when it worked."""
        try:
            try:
                self.binding.nvmlInit()
            except self.Error as error:
                if error.value != FUNCTION_NOT_FOUND:
                    raise
                self.raw("nvmlInit_v2")  # drivers before 410 have no nvmlInitWithFlags
        except self.Error as error:
            return int(error.value), str(error)
        return 0, None

    # -- calling -------------------------------------------------------------------------------------

    def raw(self, symbol, *args):
        """Call a function of the library itself; raises as pynvml's wrappers do."""
        try:
            function = getattr(self.library, symbol)
        except AttributeError:
            raise self.Error(FUNCTION_NOT_FOUND)
        code = function(*args)
        if code:
            raise self.Error(code)

    def call(self, *forms):
        """The answer of the first form that this driver and this binding have.

        A form is ``(name of a pynvml function or symbol reader, arguments ...)``.
        """
        refusal = None
        for form in forms:
            function = form[0] if callable(form[0]) else getattr(self.binding, form[0], None)
            try:
                if function is None:
                    raise self.Error(FUNCTION_NOT_FOUND)
                return function(*form[1:])
            except self.Error as error:
                if error.value not in NEXT_FORM:
                    raise
                refusal = refusal or error
        raise refusal

    def excuse(self, error):
        """The Unread that a failed call stands for.  Raises :class:`Gone` for a GPU that is lost."""
        if not isinstance(error, self.Error):
            return unread("garbled", "%s: %s" % (type(error).__name__, error))
        code, text = int(error.value), str(error)
        if code in (GPU_IS_LOST, RESET_REQUIRED):
            raise Gone(code, text)
        if code == FUNCTION_NOT_FOUND:
            return unread("unsupported", "function not found")
        why = {NOT_SUPPORTED: "unsupported", NO_PERMISSION: "refused", TIMEOUT: "timeout"}.get(code)
        if why is None:
            why = "missing" if code in ABSENT else "unsupported" if code in NEXT_FORM else "garbled"
        return unread(why, text)

    def told(self, *forms):
        """:meth:`call`, with the excuse instead of the exception."""
        try:
            return self.call(*forms)
        except Exception as error:
            return self.excuse(error)

    # -- the system ----------------------------------------------------------------------------------

    def system(self):
        """(fact, function) of everything that belongs to no GPU."""
        return (
            ("driver_version", self.driver_version),
            ("nvml_version", lambda: self.told(("nvmlSystemGetNVMLVersion",))),
            ("driver_branch", self.driver_branch),
            ("cuda_version", self.cuda_version),
            ("cuda_version_kernel", lambda: self.told(("nvmlSystemGetCudaDriverVersion",))),
            ("confidential_compute", self.confidential),
            ("device_count", lambda: self.told(("nvmlDeviceGetCount",))),
        )

    def driver_version(self):
        version = self.told(("nvmlSystemGetDriverVersion",))
        self.version = version if isinstance(version, str) else ""
        return version

    def driver_branch(self):
        told = self.told(("nvmlSystemGetDriverBranch",))
        return told if isinstance(told, dict) else plain(told.branch)

    def cuda_version(self):
        """NVML passes this question on to libcuda.so.1, and says "library not found" where that is missing."""
        try:
            return self.call(("nvmlSystemGetCudaDriverVersion_v2",))
        except self.Error as error:
            if error.value == LIBRARY_NOT_FOUND:
                return unread("missing", "NVML could not load libcuda")
            return self.excuse(error)

    def confidential(self):
        """Is confidential computing on?  None where the cards have no such feature."""
        try:
            return bool(self.call(("nvmlSystemGetConfComputeState",)).ccFeature)
        except self.Error as error:
            return None if error.value == NOT_SUPPORTED else self.excuse(error)

    # -- one GPU -------------------------------------------------------------------------------------

    def pci_info(self, handle):
        """The PCI record; drivers before 410 fill the shorter form, which is the head of the longer one."""
        info = self.binding.nvmlPciInfo_t()
        try:
            self.raw("nvmlDeviceGetPciInfo_v3", handle, ctypes.byref(info))
        except self.Error as error:
            if error.value != FUNCTION_NOT_FOUND:
                raise
            self.raw("nvmlDeviceGetPciInfo_v2", handle, ctypes.byref(info))
        return info
