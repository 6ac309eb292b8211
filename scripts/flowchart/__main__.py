"""Writes the picture where it is needed."""

from deployer.flow.release import FLOW
from scripts.flowchart import PICTURES
from scripts.flowchart.drawing import draw

for picture in PICTURES:
    picture.write_text(draw(FLOW), encoding="utf-8")
