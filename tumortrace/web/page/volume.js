// The slices of a volume: `props.value` is what `view` of _slices.py returns. Nothing here asks the server.
const CANVAS = 480; // pixels of the longer side, about
const OUTLINE = "#ffd84d";
const find = (id) => element.querySelector("#volume-" + id);
const told = (value) => Number(value.toPrecision(4)).toString();
let shown = null; // what is drawn: the volume unpacked, and what was chosen
let loading = Promise.resolve();

async function unpacked(text, kind) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new kind(await new Response(stream).arrayBuffer());
}

async function load(sent) {
  if (!sent) shown = null;
  else if (sent.pixels) await begin(sent);
  else if (shown) shown.view = { ...shown.view, maps: sent.maps };
  if (!shown) return;
  shown.maps = await Promise.all(shown.view.maps.map((map) => unpacked(map.data, Uint8Array)));
  if (!shown.view.maps.some((map) => map.name === shown.map)) shown.map = "";
  fill();
  draw();
}

async function begin(view) {
  const same = shown && shown.view.pixels === view.pixels;
  const kept = same ? shown : { slice: view.start, window: view.window, level: view.level, map: "", opacity: 75 };
  const [pixels, mask, colours] = await Promise.all([
    unpacked(view.pixels, Uint16Array), unpacked(view.mask, Uint8Array), unpacked(view.colours, Uint8Array),
  ]);
  shown = { ...kept, view, pixels, mask, colours };
}

function fill() {
  const { view } = shown;
  const select = find("overlay");
  select.replaceChildren(new Option("None", ""), ...view.maps.map((map) => new Option(map.words, map.name)));
  find("map").hidden = !view.maps.length;
  find("slice").max = view.shape[0] - 1;
  ["left", "above", "right", "below"].forEach((edge, k) => { find(edge).textContent = view.letters[k] || ""; });
  const values = { slice: shown.slice, window: shown.window, level: shown.level, overlay: shown.map, opacity: shown.opacity };
  for (const [id, value] of Object.entries(values)) find(id).value = value;
}

function draw() {
  const { view, slice } = shown;
  const [, rows, cols] = view.shape;
  const [, tall, wide] = view.spacing;
  const scale = Math.max(1, Math.round(CANVAS / Math.max(rows, cols)));
  const canvas = find("canvas");
  canvas.width = cols * scale;
  canvas.height = rows * scale;
  canvas.style.aspectRatio = `${cols * wide} / ${rows * tall}`;
  canvas.style.maxWidth = `${(420 * cols * wide) / (rows * tall)}px`;
  const small = new OffscreenCanvas(cols, rows);
  small.getContext("2d").putImageData(coloured(rows, cols), 0, 0);
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  outline(context, rows, cols, scale);
  say(view, slice);
}

function coloured(rows, cols) {
  const { view, pixels, colours, slice, opacity } = shown;
  const map = shown.maps[view.maps.findIndex((one) => one.name === shown.map)];
  const image = new ImageData(cols, rows);
  const start = slice * rows * cols;
  const dark = shown.level - shown.window / 2;
  for (let k = 0; k < rows * cols; k++) {
    const value = view.low + view.step * pixels[start + k];
    const grey = Math.min(Math.max((255 * (value - dark)) / shown.window, 0), 255);
    const step = map ? map[start + k] : 0;
    const share = step ? opacity / 100 : 0;
    for (let c = 0; c < 3; c++) {
      const colour = step ? colours[3 * Math.round(((step - 1) * 255) / 254) + c] : 0;
      image.data[4 * k + c] = (1 - share) * grey + share * colour;
    }
    image.data[4 * k + 3] = 255;
  }
  return image;
}

function outline(context, rows, cols, scale) {
  const start = shown.slice * rows * cols;
  const inside = (row, col) =>
    row >= 0 && col >= 0 && row < rows && col < cols && shown.mask[start + row * cols + col] === 1;
  context.beginPath();
  for (let row = 0; row <= rows; row++) {
    for (let col = 0; col <= cols; col++) {
      if (inside(row, col) !== inside(row - 1, col)) line(context, col, row, col + 1, row, scale);
      if (inside(row, col) !== inside(row, col - 1)) line(context, col, row, col, row + 1, scale);
    }
  }
  context.lineWidth = 2;
  context.strokeStyle = OUTLINE;
  context.stroke();
}

function line(context, left, top, right, bottom, scale) {
  context.moveTo(left * scale, top * scale);
  context.lineTo(right * scale, bottom * scale);
}

function say(view, slice) {
  const number = view.first + slice + 1;
  const map = view.maps.find((one) => one.name === shown.map);
  find("slice-said").textContent = `${number} of ${view.slices}`;
  find("said").textContent =
    `${view.plane ? `Slices are ${view.plane}. ` : ""}Shown are slices ${view.first + 1} to ${view.first + view.shape[0]}, ` +
    "the box around the region; its outline is yellow.";
  find("canvas").setAttribute("aria-label", `Slice ${number} of ${view.slices}${map ? `, under a map: ${map.words}` : ""}`);
  find("slice").setAttribute("aria-valuetext", `slice ${number} of ${view.slices}`);
  find("opacity-said").textContent = shown.opacity + " %";
  find("scale").hidden = !map;
  if (!map) return;
  find("low").textContent = told(map.low);
  find("high").textContent = told(map.high);
  find("unit").textContent = `${map.words}, ${map.unit}`;
  const bar = new ImageData(256, 1);
  for (let k = 0; k < 256; k++) bar.data.set([...shown.colours.subarray(3 * k, 3 * k + 3), 255], 4 * k);
  find("colours").getContext("2d").putImageData(bar, 0, 0);
}

function change(event) {
  if (!shown || !event.target.id.startsWith("volume-")) return;
  const id = event.target.id.replace("volume-", "");
  const value = event.target.valueAsNumber;
  if (id === "overlay") shown.map = event.target.value;
  else if (["slice", "level", "opacity"].includes(id) && Number.isFinite(value)) shown[id] = value;
  else if (id === "window" && value > 0) shown.window = value;
  else return;
  draw();
}
element.addEventListener("input", change);
element.addEventListener("change", change);

function next() {
  const sent = props.value;
  loading = loading.then(() => load(sent));
}
watch("value", next);
next();
