// Gradio's divider between before and after is for the mouse alone: here it gets a name, a place in the order of tabs,
// and the arrow keys, Home and End, which drag it.
(() => {
  const fire = (target, type, x, y) =>
    target.dispatchEvent(new MouseEvent(type, { clientX: x, clientY: y, bubbles: true, cancelable: true, view: window }));
  const read = (knob) => {
    const after = knob.parentElement.querySelectorAll("img")[1];
    const left = /inset\([^)]*?([\d.]+)%\)/.exec(after ? after.style.clipPath : "");
    knob.setAttribute("aria-valuenow", left ? Math.round(Number(left[1])) : 50);
  };
  const move = (knob, event) => {
    const frame = knob.parentElement.getBoundingClientRect();
    const box = knob.getBoundingClientRect();
    const x = box.left + box.width / 2;
    const step = frame.width * (event.shiftKey ? 0.1 : 0.02);
    const places = { ArrowLeft: x - step, ArrowRight: x + step, Home: frame.left, End: frame.right };
    if (!(event.key in places)) return;
    event.preventDefault();
    const y = box.top + box.height / 2;
    fire(knob, "mousedown", x, y);
    fire(window, "mousemove", Math.min(Math.max(places[event.key], frame.left), frame.right), y);
    fire(window, "mouseup", x, y);
  };
  const dress = (knob) => {
    knob.tabIndex = 0;
    const words = { role: "slider", "aria-label": "Before and after", "aria-valuemin": 0, "aria-valuemax": 100 };
    for (const [name, value] of Object.entries(words)) knob.setAttribute(name, value);
    knob.addEventListener("keydown", (event) => move(knob, event));
    const changed = { subtree: true, attributes: true, attributeFilter: ["style"] };
    new MutationObserver(() => read(knob)).observe(knob.parentElement, changed);
    read(knob);
  };
  const look = () => document.querySelectorAll('[data-testid="slider"]:not([tabindex])').forEach(dress);
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
})();
