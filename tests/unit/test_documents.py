"""What the documents promise must be there."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def test_campaign_file_page_is_current():
    path = ROOT / "scripts" / "document_campaign_file.py"
    spec = importlib.util.spec_from_file_location("document_campaign_file", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.DOCUMENT.read_text(encoding="utf-8") == script.document(), (
        "run python scripts/document_campaign_file.py"
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    text = document.read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("#")
    }
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http:", "https:")):
            continue
        name, _, anchor = target.partition("#")
        if name:
            assert (document.parent / name).exists(), f"{document.name}: no {name}"
        elif anchor:
            assert anchor in headings, f"{document.name}: no heading #{anchor}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_named_in_the_text_exist(document):
    text = document.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:alnn|docs|inputs|lammps_plugin|scripts|tests)/[\w./-]+)`", text):
        assert (ROOT / name).exists(), f"{document.name} names {name}, which is not there"


def test_every_subcommand_is_in_the_readme():
    from alnn.cli import _parser

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (commands,) = (action for action in _parser()._actions if isinstance(action.choices, dict))
    for name in commands.choices:
        assert f"alnn {name}" in readme, f"README.md does not tell of alnn {name}"


@pytest.mark.parametrize("name", ["campaign.yaml", "papers.yaml", "few_calls.yaml", "forces.yaml"])
def test_example_campaigns_are_valid(name):
    from alnn.campaign.settings import load

    config = load(ROOT / "inputs" / "water_clusters" / name)
    assert config.species == ["W"]
