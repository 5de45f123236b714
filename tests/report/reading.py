"""What sections of a report say, for tests to read."""

from tumortrace.report import Items, Text


def walk(sections):
    for section in sections:
        yield section
        yield from walk(section.subsections)


def blocks(sections, kind):
    return [block for section in walk(sections) for block in section.blocks if isinstance(block, kind)]


def words(sections):
    found = [block.text for block in blocks(sections, Text)]
    return " ".join([*found, *(f"{a}: {b}" for block in blocks(sections, Items) for a, b in block.items)])
