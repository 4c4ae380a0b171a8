#!/usr/bin/env python3
"""Fills in what the real kustomize makes of each strategic merge of a case file: record.py KUSTOMIZE FILE"""

import pathlib
import re
import subprocess
import sys
import tempfile


def build(kustomize, sections):
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        for section, text in sections.items():
            (directory / f"{section}.yaml").write_text(text)
        kustomization = "resources: [target.yaml]\npatches: [{path: patch.yaml}]\n"
        if "openapi" in sections:
            (directory / "openapi.json").write_text(sections["openapi"])
            kustomization += "openapi: {path: openapi.json}\n"
        (directory / "kustomization.yaml").write_text(kustomization)
        done = subprocess.run([kustomize, "build", name], capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else "error\n"


def main():
    kustomize, path = sys.argv[1], pathlib.Path(sys.argv[2])
    head, *cases = re.split(r"^=== ", path.read_text(), flags=re.MULTILINE)
    recorded = head
    for case in cases:
        title, *sections = re.split(r"^--- ", case, flags=re.MULTILINE)
        parts = dict(section.split("\n", 1) for section in sections)
        parts.pop("want")
        recorded += f"=== {title}" + "".join(f"--- {name}\n{text}" for name, text in parts.items())
        recorded += f"--- want\n{build(kustomize, parts)}"
    path.write_text(recorded)


if __name__ == "__main__":
    main()
