// What the page does beside Gradio: it names the uploads and choices, and refuses too much before it is sent.
const LIMIT = props.limit;
const MOST = props.most;

function refuse(words) {
  const place = document.querySelector("#upload-fault");
  place.textContent = "";
  const box = document.createElement("p");
  box.className = "tt-fault";
  box.textContent = words;
  place.append(box);
}

function fault(files, many) {
  const megabytes = (n) => (n / 1e6).toFixed(1) + " MB";
  const large = files.find((file) => file.size > LIMIT);
  if (large) return `${large.name} has ${megabytes(large.size)}; give files of at most ${megabytes(LIMIT)}.`;
  if (!many && files.length > 1) return `These are ${files.length} files; give one here, or several under “Several images”.`;
  if (files.length > MOST) return `These are ${files.length} files; give at most ${MOST} at once.`;
  return "";
}

function guard(event) {
  const upload = event.target.closest?.(".tt-upload");
  const files = [...(event.dataTransfer?.files || event.target.files || [])];
  if (!upload || !files.length) return;
  document.querySelector("#upload-fault").textContent = "";
  const words = fault(files, Boolean(upload.querySelector("input[multiple]")));
  if (!words) return;
  event.stopImmediatePropagation();
  event.preventDefault();
  if (event.target.value) event.target.value = "";
  refuse(words);
}
document.addEventListener("change", guard, true);
document.addEventListener("drop", guard, true);

function name() {
  document.title = props.title;
  for (const upload of document.querySelectorAll(".tt-upload")) {
    const label = upload.querySelector("[data-testid=block-label]")?.textContent.trim();
    const button = upload.querySelector("button.upload-container");
    const words = `${label}: drop here or press to choose`;
    if (button && button.getAttribute("aria-label") !== words) button.setAttribute("aria-label", words);
  }
  for (const group of document.querySelectorAll(".tt-model")) {
    const label = group.querySelector("[data-testid=block-info]")?.textContent.trim();
    if (label && group.getAttribute("aria-label") !== label) group.setAttribute("aria-label", label);
  }
}
new MutationObserver(name).observe(document.querySelector(".gradio-container"), { childList: true, subtree: true });
name();
