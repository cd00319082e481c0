// A button that copies the text of its model.
import { copyText } from "../../shared_js/copy.js";
import { element } from "../../shared_js/twin.js";

function render({ model, el }) {
  const button = element("button", { type: "button", class: "lm-Widget jupyter-widgets jupyter-button widget-button", style: "width:auto" }, model.get("label"));
  const says = element("span", { role: "status", style: "margin-left:8px" });
  const able = () => (button.disabled = !model.get("text"));
  button.addEventListener("click", async () => {
    says.textContent = (await copyText(model.get("text"))) ? "copied" : "Select the line and copy it.";
    setTimeout(() => (says.textContent = ""), 4000);
  });
  model.on("change:text", able);
  able();
  el.append(button, says);
  return () => model.off("change:text", able);
}

export default { render };
