// An answer that comes outside the window is brought into it.
watch("value", () => {
  if (!element.querySelector("#result-model")) return;
  const { top } = element.getBoundingClientRect();
  if (top < 0 || top > 0.6 * window.innerHeight) element.closest("#result").scrollIntoView();
});

// Gradio may close its stream just as something is asked, and the answer waits on the server until more is asked.
// So whatever is done here is followed by ticks that ask for nothing, further and further apart once no work is seen.
const FIRST = 2000;
const LAST = 30000;
let timer = null;
function tick(wait) {
  trigger("tick");
  const next = document.querySelector(".tt-busy") ? FIRST : 2 * wait;
  if (next < LAST) timer = setTimeout(tick, next, next);
}
for (const kind of ["click", "change", "drop"]) {
  document.addEventListener(kind, () => {
    clearTimeout(timer);
    timer = setTimeout(tick, FIRST, FIRST);
  }, true);
}
