// An answer that comes outside the window is brought into it.
watch("value", () => {
  if (!element.querySelector("#result-model")) return;
  const { top } = element.getBoundingClientRect();
  if (top < 0 || top > 0.6 * window.innerHeight) element.closest("#result").scrollIntoView();
});

// Gradio may close its stream just as a question goes out, and the answer stays on the server: ask once more.
let waiting = null;
for (const kind of ["pointerdown", "keydown"]) {
  document.addEventListener(kind, () => { waiting = null; }, true);
}
document.addEventListener("click", (event) => {
  const button = event.target.closest('button[id$="-analyse"]');
  if (!button || !event.isTrusted) return;
  waiting = button;
  setTimeout(() => {
    const nothing = element.querySelector(".tt-empty") && !document.querySelector("#message .tt-message");
    if (nothing && waiting === button) button.click();
  }, 4000);
});
