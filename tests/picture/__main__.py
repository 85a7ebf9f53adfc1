"""Writes the picture of a report's page that README shows, of a night that went badly: `make picture`."""

import shutil
import sys
from base64 import b64decode
from pathlib import Path
from tempfile import gettempdir

from fakes.browser import opened, visit
from fakes.documents import ROOT
from picture.palette import with_palette

from orchestrator.cli.main import main
from orchestrator.errors import ExitCode

PICTURE = ROOT / "docs" / "pictures" / "report.png"
FAULTS = Path(__file__).with_name("bad_night.yaml")
_SEED, _SPEED = "5", "120"
_SCREEN = {"width": 1000, "height": 900, "deviceScaleFactor": 1, "mobile": False}
#: From the top to the end of the timeline.
_PART = "document.querySelector('#h-flight').getBoundingClientRect().top + scrollY - 20"


def played(folder: Path) -> Path:
    """The page of a run of the quickstart's fleet in this folder."""
    plan = shutil.copy(ROOT / "plans" / "quickstart.yaml", folder / "quickstart.yaml")
    words = ["run", str(plan), "--simulate", "--speed", _SPEED, "--seed", _SEED, "--faults", str(FAULTS)]
    ended = main([*words, "--quiet", "--log-file", str(folder / "log")])
    if ended != ExitCode.HELD:
        sys.exit(f"the night was to end held, with 3, and ended with {ended}")
    return next(folder.rglob("report.html"))


def picture(page: Path, profile: Path) -> bytes:
    """The upper part of a page as PNG."""
    with opened(profile) as browser:
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", _SCREEN)
        visit(browser, page.as_uri())
        height = browser.execute_script(f"return {_PART}")
        part = {"x": 0, "y": 0, "width": _SCREEN["width"], "height": height, "scale": 1}
        drawn = browser.execute_cdp_cmd("Page.captureScreenshot", {"clip": part, "captureBeyondViewport": True})
    return b64decode(drawn["data"])


if __name__ == "__main__":
    fleet = Path(gettempdir(), "fleet")  # its path stands in the picture
    fleet.mkdir()
    try:
        PICTURE.write_bytes(with_palette(picture(played(fleet), fleet / "profile")))
    finally:
        shutil.rmtree(fleet)
