"""Whether the numbers are those that the Image Biomarker Standardisation Initiative agreed on.

`verify` computes every feature of the digital phantom of the IBSI, through the same settings and extractors as a
table, and compares them with the 482 consensus values, which ship with the package. `verify_volume` does the same
for another image under one of the configurations A to E of the IBSI. On a command line: ``tumortrace verify``.

Reference: Zwanenburg et al. 2020, https://doi.org/10.1148/radiol.2020191145. Phantom and consensus values are by
Alex Zwanenburg and the IBSI, CC BY 4.0; see ``ATTRIBUTION.md`` in the folder ``data``.
"""

from tumortrace.conformance._check import Check, Reference, half_unit, read_reference, within
from tumortrace.conformance._configurations import CONFIGURATIONS, DIGITAL_PHANTOM
from tumortrace.conformance._verify import FAMILIES, digital_phantom, verify, verify_volume

__all__ = [
    "CONFIGURATIONS",
    "DIGITAL_PHANTOM",
    "FAMILIES",
    "Check",
    "Reference",
    "digital_phantom",
    "half_unit",
    "read_reference",
    "verify",
    "verify_volume",
    "within",
]
