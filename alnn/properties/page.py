"""The page of properties: tables and figures in one HTML file."""

import yaml

import alnn
from alnn.pages.html import render
from alnn.properties.settings import Properties
from alnn.properties.tables import Results
from alnn.versions import versions


def page(settings: Properties, results: Results) -> str:
    """The whole page as text."""
    return render(
        "properties.html.j2",
        potentials=", ".join(settings.potentials),
        tables=results.tables,
        pictures=results.pictures,
        config=yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True),
        versions=versions(),
        alnn_version=alnn.__version__,
    )
