// What the page does beside Gradio: it names the uploads and choices, and refuses too much before it is sent.
const LIMIT = props.limit;
const VOLUME_LIMIT = props.volume_limit;
const MOST = props.most;
const mebibytes = (bytes) => Number((bytes / 2 ** 20).toFixed(1)) + " MiB";

function refuse(words) {
  const box = document.createElement("div");
  box.className = "tt tt-message tt-fault";
  box.id = "fault";
  box.textContent = words;
  props.value = box.outerHTML;
  requestAnimationFrame(see);
}

function see() {
  const { top, bottom } = element.getBoundingClientRect();
  if (element.querySelector(".tt-message") && (top < 48 || bottom > window.innerHeight)) {
    element.closest("#messages").scrollIntoView({ block: "center" });
  }
}
watch("value", see);

function fault(files, many, volume) {
  const limit = volume ? VOLUME_LIMIT : LIMIT;
  const large = files.find((file) => file.size > limit);
  if (large) return `${large.name}: has ${mebibytes(large.size)}; give a file of ${mebibytes(limit)} at most.`;
  if (volume && files.length > 1) return `These are ${files.length} files; give a DICOM folder as one zip.`;
  if (!many && files.length > 1) return `These are ${files.length} files; give one here, or several under “Several images”.`;
  if (files.length > MOST) return `These are ${files.length} files; give at most ${MOST} at once.`;
  return "";
}

function guard(event) {
  const upload = event.target.closest?.(".tt-upload");
  const files = [...(event.dataTransfer?.files || event.target.files || [])];
  if (!upload || !files.length) return;
  const words = fault(files, Boolean(upload.querySelector("input[multiple]")), upload.classList.contains("tt-large"));
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
