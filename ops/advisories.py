#!/usr/bin/env python3
"""Compares Cargo.lock with the RustSec advisory database, offline.

    git clone https://github.com/rustsec/advisory-db   # or any copy of it
    ops/advisories.py Cargo.lock advisory-db

Prints every advisory that concerns a locked version; exits 1 when one of them is not informational.
"""

import pathlib
import re
import subprocess
import sys
import tomllib


def version(text):
    core, _, pre = text.split("+")[0].partition("-")
    parts = [int(p) for p in core.split(".")]
    return tuple(parts + [0] * (3 - len(parts))), pre == "", pre


def meets(found, rule):
    """Whether a version meets one comparison of a requirement, as cargo reads it."""
    op, text = re.match(r"\s*(>=|<=|>|<|=|\^|~)?\s*(\S+)", rule).groups()
    want = version(text)
    if op == ">=":
        return found >= want
    if op == ">":
        return found > want
    if op == "<":
        return found < want
    if op == "<=":
        return found <= want
    if op == "=":
        return found == want
    given = text.split("-")[0].split(".")
    if op == "~":
        same = max(1, len(given) - 1)
    else:
        numbers = want[0]
        same = next((i + 1 for i, n in enumerate(numbers) if n), len(given))
        same = min(same, len(given))
    return found >= want and found[0][:same] == want[0][:same]


def any_meets(found, requirements):
    return any(all(meets(found, r) for r in req.split(",")) for req in requirements)


def advisories(root, name):
    folder = f"crates/{name}"
    if (root / folder).is_dir():
        texts = [p.read_text() for p in sorted((root / folder).glob("*.md"))]
    else:
        # A bare repository.
        git = ["git", "--git-dir", str(root)]
        if not (root / "HEAD").exists():
            return
        names = subprocess.run(git + ["ls-tree", "--name-only", "HEAD", folder + "/"], capture_output=True, text=True)
        texts = [subprocess.run(git + ["show", f"HEAD:{n}"], capture_output=True, text=True).stdout for n in names.stdout.split()]
    for text in texts:
        found = re.search(r"```toml\n(.*?)```", text, re.S)
        if found:
            yield tomllib.loads(found.group(1))


def main(lock, root):
    packages = tomllib.loads(pathlib.Path(lock).read_text())["package"]
    packages = [p for p in packages if "source" in p]
    bad = 0
    for p in packages:
        found = version(p["version"])
        for a in advisories(root, p["name"]):
            about, versions = a["advisory"], a.get("versions", {})
            if "withdrawn" in about or any_meets(found, versions.get("patched", []) + versions.get("unaffected", [])):
                continue
            kind = about.get("informational")
            bad += kind is None
            print(f"{p['name']} {p['version']}: {about['id']} ({kind or 'vulnerability'}), {about.get('date')}")
    print(f"{len(packages)} packages compared, {bad} with a vulnerability")
    return 1 if bad else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2])))
