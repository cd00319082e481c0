import { coverTwin, element, installStyle } from "../../shared_js/twin.js";
import { unpack } from "./model.js";
import css from "./style.css";
import { View } from "./view.js";

function render({ model, el }) {
  installStyle("qcrbox-structure-style", css);
  let view;
  try {
    view = new View(model, el);
  } catch (error) {
    // No WebGL, for example: say it, and leave the still picture in its place.
    el.replaceChildren(element("div", { role: "alert" }, `The live view cannot be shown here (${error.message}); the still picture is above.`));
    return () => {};
  }
  const uncover = coverTwin(model.get("twin"));
  const redraw = () => view.takeScene(unpack(model.get("scene")));
  const redrawDensity = () => view.takeDensity(model.get("density"));
  model.on("change:scene", redraw);
  const redrawSurface = () => view.takeSurface(model.get("surface"));
  model.on("change:density", redrawDensity);
  model.on("change:surface", redrawSurface);
  return () => {
    model.off("change:scene", redraw);
    model.off("change:density", redrawDensity);
    model.off("change:surface", redrawSurface);
    view.close();
    uncover();
  };
}

export default { render };
