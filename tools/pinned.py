"""What the scripts in Python share: the versions in tools/versions, and the kustomize of the pinned one.

Only Python's standard library is used. Whoever imports this says `sys.dont_write_bytecode = True` first."""
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def version(name):
    """The pinned version of a program."""
    for line in (ROOT / "tools/versions").read_text().splitlines():
        words = line.split()
        if words[:1] == [name]:
            return words[1]
    sys.exit(f"error: no version of `{name}` stands in tools/versions")


def cached(name):
    """Where tools/programs puts a program."""
    home = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    return home / "argocd-infisical" / f"{name}-{version(name)}" / name


def find_kustomize():
    """$KUSTOMIZE, or that of the PATH, or what tools/programs builds; any version but the pinned one is refused."""
    pinned = version("kustomize")
    if named := os.environ.get("KUSTOMIZE"):
        if (found := version_of(named)) != pinned:
            sys.exit(f"error: `{named}` is kustomize {found}, not {pinned}")
        return named
    for candidate in (shutil.which("kustomize"), str(cached("kustomize"))):
        if candidate and version_of(candidate) == pinned:
            return candidate
    built = subprocess.run([ROOT / "tools/programs", "kustomize"], stdout=subprocess.PIPE, text=True, check=False)
    if built.returncode:
        sys.exit(f"error: no kustomize {pinned}: set $KUSTOMIZE, put it on the PATH, or install Go")
    return built.stdout.strip()


def version_of(kustomize):
    """What a kustomize says that it is."""
    try:
        answer = subprocess.run([kustomize, "version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"not runnable ({error})"
    return answer.stdout.strip()
