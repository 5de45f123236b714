"""A folder of lesions to one table, and what happens to a file that is no image."""

from pathlib import Path

from tumortrace import extract, io

lesions = io.synthetic.make_lesions("lesions", patients=6, seed=1)
print(io.class_distribution(io.find(lesions).frame))

summary = extract(lesions, {"glcm": {"levels": 16}, "first_order": {}}, out="features.csv", jobs=2)
print(f"{summary.rows} rows, {summary.computed} computed, {summary.failed} failed")

victim = next(lesions.rglob("p-*.jpg"))
Path(victim).write_bytes(b"")
again = extract(lesions, {"glcm": {"levels": 16}, "first_order": {}}, out="features.csv", jobs=2, resume=True)
print(f"after emptying one file: {again.computed} computed, {again.reused} taken over, {again.failed} failed")
