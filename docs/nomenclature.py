"""Write the page of names: ours, the codes of the IBSI, and what PyRadiomics calls a feature."""

import sys
from pathlib import Path

from tumortrace.features._nomenclature import IBSI_FAMILIES, PYRADIOMICS_CLASSES, TERMS

HEAD = """# Names of features

Names are those of the IBSI, in lower case with underscores. `tumortrace extract --names pyradiomics` writes the
names of PyRadiomics where it has the feature, and its numbers where it defines them differently:
[moving from PyRadiomics](gallery/from_pyradiomics.ipynb). The codes are those of the
[IBSI manual](https://doi.org/10.48550/arXiv.1612.07003). Features without a code are none of the IBSI's.

This page is written by `python docs/nomenclature.py`.
"""


def page():
    """Return the page."""
    lines = [HEAD]
    for extractor, terms in TERMS.items():
        families = ", ".join(IBSI_FAMILIES[extractor])
        theirs = PYRADIOMICS_CLASSES.get(extractor)
        lines += [f"## {extractor}", ""]
        lines += [
            f"IBSI {families}" + (f"; PyRadiomics `{theirs}`." if theirs else "; PyRadiomics has none of it."),
            "",
        ]
        lines += ["| Feature | IBSI | PyRadiomics |", "|---|---|---|"]
        lines += [f"| `{name}` | {term.ibsi or '–'} | {term.pyradiomics or '–'} |" for name, term in terms.items()]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("nomenclature.md")
    out.write_text(page(), encoding="utf-8")
