"""Ten people at once: every answer is right, memory stays where it is, and the page goes on."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest
from PIL import Image
from web.served import predicted

from tumortrace import io

USERS, REQUESTS = 10, 200
MODELS = ("fused", "handcrafted", "cnn")
GROWTH = 150 * 2**20  # of memory, in bytes


class Person:
    """Somebody with a page of their own: uploads a crop, chooses a model, and reads the probability."""

    def __init__(self, address, name):
        self.session = name
        self.client = httpx.Client(base_url=address, timeout=120)
        page = self.client.get("/").text
        settings = json.loads(re.search(r"window\.gradio_config = (.*?);</script>", page)[1])
        self.events = {one["api_name"]: one for one in settings["dependencies"]}

    def do(self, name, *data):
        """Let an event of the page happen and return its last output; what the server remembers is left out."""
        event = self.events[name]
        data = [*data, *[None] * (len(event["inputs"]) - len(data))]
        asked = {"data": data, "fn_index": event["id"], "session_hash": self.session}
        joined = self.client.post("/gradio_api/queue/join", json=asked)
        assert joined.status_code == 200, joined.text
        lines = self.client.stream("GET", "/gradio_api/queue/data", params={"session_hash": self.session})
        with lines as answer:
            for line in answer.iter_lines():
                message = json.loads(line.removeprefix("data: ") or "{}")
                if message.get("msg") == "process_completed":
                    assert message["success"], message
                    return message["output"]
        raise AssertionError(f"{name} did not end")

    def ask(self, crop, model):
        """Return the probability of malignancy that the page shows."""
        with crop.open("rb") as file:
            (path,) = self.client.post("/gradio_api/upload", files={"files": (crop.name, file)}).json()
        self.do("read_crop", {"path": path, "orig_name": crop.name, "meta": {"_type": "gradio.FileData"}})
        answer = json.dumps(self.do("ask_crop", None, None, model))
        return float(re.search(r'result-positive\\" data-probability=\\"([^\\]+)\\"', answer)[1])


@pytest.fixture(scope="module")
def crops(lesions, tmp_path_factory):
    folder = tmp_path_factory.mktemp("crops")
    found = io.find(lesions)
    rows = found.frame[found.frame["sequence"] == "VIBRANT+C2"]
    for number, image in enumerate(rows["image"].iloc[:8]):
        Image.fromarray(io.read_image(found.root / image).array).save(folder / f"{number}.png")
    return sorted(folder.iterdir())


def test_ten_people_ask_two_hundred_times(demo, crops, tmp_path):
    manifest = [{"Image": str(path), "patient": str(k)} for k, path in enumerate(crops)]
    expected = {model: predicted(demo.models / model, manifest, tmp_path)["score"].tolist() for model in MODELS}
    asked = [(number % len(crops), MODELS[number % len(MODELS)]) for number in range(REQUESTS)]
    people = [Person(demo.address, f"person{number}") for number in range(USERS)]
    process = psutil.Process(demo.process.pid)
    for model in MODELS:  # loaded before memory is measured
        people[0].ask(crops[0], model)
    before = process.memory_info().rss

    def work(number):
        mine = asked[number::USERS]
        return [(crop, model, people[number].ask(crops[crop], model)) for crop, model in mine]

    with ThreadPoolExecutor(USERS) as pool:
        answers = [answer for found in pool.map(work, range(USERS)) for answer in found]
    assert len(answers) == REQUESTS
    wrong = [one for one in answers if abs(one[2] - expected[one[1]][one[0]]) > 1e-9]
    assert wrong == []
    assert process.memory_info().rss - before < GROWTH
    assert people[0].client.get("/").status_code == 200
    for person in people:
        person.client.close()
