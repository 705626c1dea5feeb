"""Eyes on a project: requirement files, pyproject.toml, locks, environment.yml and Dockerfiles, read into facts.

Pure: texts come in, facts go out, each with the file and line that it stands on.  Nothing is installed, nothing is
downloaded, no file is opened here.
"""

from .files import KINDS, Files, kind_of
from .markers import Markers
from .project import read_project
from .snapshot import snapshot_of

__all__ = ["KINDS", "Files", "Markers", "kind_of", "read_project", "snapshot_of"]
