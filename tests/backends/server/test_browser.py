"""A hostile page in a real browser beside a running server; skipped where there is no Chromium."""

import json
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from limen.backends.server import ServerOptions

from ...testing.browser import HOSTILE, content_of, report_of, site
from ...testing.serving import Served, in_thread, rows, store_with, upload

pytestmark = pytest.mark.slow

PAGE = """<!doctype html><title>hostile</title><body><script>
const api = API, file = FILE, job = JSON.stringify({model: "toy-1", training_file: file});
const done = {}, wait = (ms) => new Promise((go) => setTimeout(go, ms));
const text = (path, options) => fetch(api + path, options).then((r) => r.text());
const tag = (name, source) => new Promise((loaded, failed) => {
  const made = document.createElement(name);
  made.onload = () => loaded("loaded"); made.onerror = failed;
  made.src = api + source; document.body.append(made);
});
const form = (path, type, fields) => {
  const frame = document.createElement("iframe"), made = document.createElement("form");
  frame.name = "f" + Math.random(); document.body.append(frame, made);
  Object.assign(made, {method: "POST", action: api + path, enctype: type, target: frame.name});
  for (const [name, value] of Object.entries(fields)) {
    const field = document.createElement("input");
    Object.assign(field, {type: "hidden", name, value}); made.append(field);
  }
  made.submit(); return wait(500);
};
const files = () => {
  const data = new FormData();
  data.append("purpose", "fine-tune"); data.append("file", new Blob(["{}"]), "x.jsonl"); return data;
};
const plain = {method: "POST", mode: "no-cors", body: job};
const attacks = {
  own: () => fetch("/own").then((r) => r.text()),
  models: () => text("/models"),
  models_opaque: () => text("/models", {mode: "no-cors"}),
  models_credentials: () => text("/models", {credentials: "include"}),
  content: () => text(`/files/${file}/content`),
  content_opaque: () => text(`/files/${file}/content`, {mode: "no-cors"}),
  remove: () => text(`/files/${file}`, {method: "DELETE"}),
  job_json: () => text("/fine_tuning/jobs",
    {method: "POST", headers: {"content-type": "application/json"}, body: job}),
  job_text: () => text("/fine_tuning/jobs", plain),
  job_blob: () => text("/fine_tuning/jobs", {...plain, body: new Blob([job])}),
  job_beacon: () => (navigator.sendBeacon(api + "/fine_tuning/jobs", job), wait(300)),
  job_form: () => form("/fine_tuning/jobs", "text/plain",
    {['{"model": "toy-1", "training_file": "' + file + '", "suffix": "']: '"}'}),
  job_multipart: () => form("/fine_tuning/jobs", "multipart/form-data", {model: "toy-1"}),
  upload: () => text("/files", {method: "POST", mode: "no-cors", body: files()}),
  upload_form: () => form("/files", "multipart/form-data", {purpose: "fine-tune", file: "{}"}),
  frame: async () => { tag("iframe", "/models"); await wait(500);
    return frames[frames.length - 1].document.body.innerText; },
  window: async () => { const made = open(api + "/models"); await wait(500);
    return made.document.body.innerText; },
  image: () => tag("img", "/models"),
  script: () => tag("script", "/models"),
  events: () => new Promise((opened, failed) => { const made = new EventSource(api + "/models");
    made.onopen = () => opened("opened"); made.onerror = failed; }),
  socket: () => new Promise((opened, failed) => {
    const made = new WebSocket(api.replace("http", "ws") + "/models");
    made.onopen = () => opened("opened"); made.onerror = failed; }),
};
(async () => {
  for (const [name, attack] of Object.entries(attacks)) {
    try { done[name] = await attack() ?? ""; } catch (error) { done[name] = "failed"; }
  }
  await fetch("/done", {method: "POST", body: JSON.stringify(done)});
})();
</script>"""


@pytest.fixture(scope="module")
def served(pretrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server without a key, as people start it."""
    store = store_with(pretrained, tmp_path_factory.mktemp("browser") / "store")
    with in_thread(store, ServerOptions(workers=1)) as server:
        yield server


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", HOSTILE])
def test_a_hostile_page_can_do_nothing(served: Served, name: str, tmp_path: Path) -> None:
    """By whatever name the page calls the server, it reads no model and no file, and starts no job.

    The third name is that of the page itself, as after DNS rebinding.
    """
    client = served.client()
    file = upload(client, rows(20))
    before = state_of(client)
    api = served.url.replace("127.0.0.1", name)
    page = PAGE.replace("API", json.dumps(api)).replace("FILE", json.dumps(file))
    with site({"/": page, "/own": "own"}) as made:
        found = report_of(made, f"http://{HOSTILE}:{made.port}/", tmp_path / "profile")
    assert found.pop("own") == "own"
    assert {name: result for name, result in found.items() if result not in ("failed", "")} == {}
    assert state_of(client) == before


def test_by_a_name_of_another_site_nothing_is_shown(served: Served, tmp_path: Path) -> None:
    """After DNS rebinding the server has the origin of the hostile page, and refuses it all."""
    shown = content_of(f"http://{HOSTILE}:{served.port}/v1/models", tmp_path / "profile")
    assert "host_not_allowed" in shown
    assert "toy-1" not in shown


def state_of(client: openai.OpenAI) -> tuple[list[str], list[str], list[str]]:
    """The ids of all models, files and jobs."""
    return (
        [model.id for model in client.models.list()],
        [file.id for file in client.files.list()],
        [job.id for job in client.fine_tuning.jobs.list()],
    )
