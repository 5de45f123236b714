// A box on a slice: drawn by pointer, moved by keys, typed as numbers. `props.value` is [left, top, width, height].
const SIDES = ["left", "top", "width", "height"];
const SMALLEST = 3;
const find = (id) => element.querySelector("#box-" + id);
const within = (value, low, high) => Math.min(Math.max(Math.round(value), low), high);

function fitted([left, top, width, height]) {
  const wide = within(width, SMALLEST, props.cols);
  const tall = within(height, SMALLEST, props.rows);
  return [within(left, 0, props.cols - wide), within(top, 0, props.rows - tall), wide, tall];
}

function draw(box, typing) {
  const frame = find("frame");
  frame.hidden = !box;
  SIDES.forEach((side, k) => {
    if (find(side) !== typing) find(side).value = box ? box[k] : "";
    const whole = k % 2 ? props.rows : props.cols;
    if (box) frame.style[side] = (100 * box[k]) / whole + "%";
  });
  find("said").textContent = box
    ? `The box is ${box[2]} pixels wide and ${box[3]} high, ${box[0]} from the left and ${box[1]} from the top.`
    : "No box yet.";
}

function put(box, typing) {
  const next = fitted(box);
  props.value = next;
  draw(next, typing);
  trigger("input");
}

function pixel(event) {
  const place = find("stage").getBoundingClientRect();
  return [
    (props.cols * (event.clientX - place.left)) / place.width,
    (props.rows * (event.clientY - place.top)) / place.height,
  ];
}

let drag = null;
element.addEventListener("pointerdown", (event) => {
  const stage = event.target.closest("#box-stage");
  if (!stage || event.button !== 0) return;
  const [x, y] = pixel(event);
  const moved = event.target.id === "box-frame" && props.value;
  drag = { x, y, box: moved ? [...props.value] : null };
  stage.setPointerCapture(event.pointerId);
  stage.focus();
  event.preventDefault();
});

function dragged(event) {
  const [x, y] = pixel(event);
  if (drag.box) return fitted([drag.box[0] + x - drag.x, drag.box[1] + y - drag.y, drag.box[2], drag.box[3]]);
  const left = within(Math.floor(Math.min(x, drag.x)), 0, props.cols);
  const top = within(Math.floor(Math.min(y, drag.y)), 0, props.rows);
  const right = within(Math.ceil(Math.max(x, drag.x)), 0, props.cols);
  const bottom = within(Math.ceil(Math.max(y, drag.y)), 0, props.rows);
  return fitted([left, top, right - left, bottom - top]);
}
element.addEventListener("pointermove", (event) => {
  if (drag) draw(dragged(event));
});
element.addEventListener("pointerup", (event) => {
  if (!drag) return;
  const box = dragged(event);
  drag = null;
  put(box);
});
element.addEventListener("pointercancel", () => {
  drag = null;
  draw(props.value);
});

element.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!step || event.target.id !== "box-stage") return;
  event.preventDefault();
  const middle = [props.cols / 4, props.rows / 4, props.cols / 2, props.rows / 2];
  const box = [...(props.value || middle)];
  const first = event.shiftKey ? 2 : 0;
  box[first] += step[0];
  box[first + 1] += step[1];
  put(box);
});

element.addEventListener("change", (event) => {
  if (!SIDES.some((side) => event.target === find(side))) return;
  const typed = SIDES.map((side) => find(side).valueAsNumber);
  if (typed.every(Number.isFinite)) put(typed);
});

watch(["value", "image"], () => draw(props.value));
draw(props.value);
