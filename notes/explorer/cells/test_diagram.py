"""The picture of the explorer of the cells: in view while a number is changed, and the gradients beside its arrows."""

from itertools import product

import numpy as np
import pytest

from . import KINDS

PAGE = "explorer"
BOXES = """() => [...document.querySelectorAll("#diagram .value, #diagram .along, #diagram circle")]
    .map(n => n.getBBox()).map(b => [b.x, b.y, b.x + b.width, b.y + b.height])"""
# What the arrows add to the gradient of each node that they lead back to, beside that gradient.
ADDED = """() => {
  const { q, T, H, kind } = state, all = [];
  for (let t = 0; t < T; t++) {
    const into = {};
    for (const [from, , flow] of (PLAN[kind] ?? PLAN[cellOf(kind)]).edges(computed, q, H))
      into[from] = into[from] ? into[from].map((v, k) => v + flow(t)[k]) : flow(t);
    const dx = state.found.find(e => e.name === "dx").value[t], dh_0 = state.found.find(e => e.name === "dh_0").value;
    all.push([into.x, dx], [into["h-"], t ? computed(t - 1, "dh").map((v, k) => v - q.dy[t - 1][k]) : dh_0]);
    if (into.c) all.push([into.c.map((v, k) => v + (t === T - 1 ? q.ds.c : computed(t + 1, "dc_prev"))[k]), computed(t, "dc")]);
    for (const n of [..."ifgorznq", "a", "m"]) if (into[n]) all.push([into[n], computed(t, `d${n}`)]);
  }
  return all;
}"""


@pytest.mark.parametrize("size", [(390, 844), (1300, 900)], ids=["phone", "wide"])
def test_diagram_slider_and_steps_are_in_view_while_a_number_is_changed(page, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for name, values in product(KINDS, [False, True]):
        page.select_option("#kind", name)
        page.set_checked("#roomy", values)
        page.click('[data-path="p.W_hh.1.0"]')  # far below the diagram
        page.focus("#scrub")
        page.keyboard.press("ArrowRight")
        boxes = {
            n: page.locator(n).bounding_box() for n in ("#diagram", "#scrub", "#scrub-value", "#at", "#after", "#now", ".dock")
        }
        for where, box in boxes.items():
            assert min(box["x"], box["y"]) >= 0, (name, where)
            assert box["y"] + box["height"] <= size[1], (name, where)
            assert box["x"] + box["width"] <= size[0], (name, where)
        assert boxes["#diagram"]["y"] + boxes["#diagram"]["height"] <= boxes[".dock"]["y"]
        assert page.eval_on_selector("#diagram", "d => d.scrollHeight <= d.clientHeight"), "all of its height"


@pytest.mark.parametrize("name", KINDS)
def test_gradient_values_stand_beside_every_arrow_and_over_nothing(page, name):
    page.select_option("#kind", name)
    page.click("#end")
    assert page.locator(".along").count() == 0
    page.check("#roomy")
    for H in "23" if name == "lstm-proj" else "123":
        page.select_option("#H", H)
        assert page.locator(".along").count() == page.locator("line.flow").count() > 0
        boxes = np.array(page.evaluate(BOXES))
        least, most = np.maximum(boxes[:, None, :2], boxes[None, :, :2]), np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
        assert ((most - least > 1).all(-1).sum(1) == 1).all(), "each overlaps itself only"
        for added, gradient in page.evaluate(ADDED):
            np.testing.assert_allclose(added, gradient, rtol=0, atol=1e-12)
    page.click("#start")
    assert page.locator(".along").count() == 0


def test_the_step_that_is_computed_is_in_view(page):
    page.set_viewport_size({"width": 390, "height": 844})
    for values in (False, True):
        page.set_checked("#roomy", values)
        page.click("#start")
        for at in range(1, int(page.get_attribute("#at", "max")) + 1):
            page.click("#after")
            chosen = page.locator("#diagram .chosen circle")
            if chosen.count():
                frame, box = page.locator("#diagram").bounding_box(), chosen.bounding_box()
                assert box["x"] >= frame["x"], at
                assert box["x"] + box["width"] <= frame["x"] + frame["width"], at


def test_a_node_whose_number_is_chosen_comes_into_view(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.select_option("#held", "x.2.0")
    frame, box = page.locator("#diagram").bounding_box(), page.locator("#diagram .held circle").bounding_box()
    assert frame["x"] <= box["x"] <= frame["x"] + frame["width"] - box["width"]


def test_the_dock_can_be_used_without_the_page_running_away(page):
    page.set_viewport_size({"width": 390, "height": 844})
    for button in ("#end", "#before", "#after", "#start", "#scrub-value"):
        page.click(button)
        assert page.evaluate("scrollY") == 0
    page.focus('[data-path="p.b_hh.3"]')  # a field is not under the dock when it has the focus
    box, dock = page.locator('[data-path="p.b_hh.3"]').bounding_box(), page.locator(".dock").bounding_box()
    assert box["y"] + box["height"] <= dock["y"]
