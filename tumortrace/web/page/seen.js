// An answer that comes outside the window is brought into it.
watch("value", () => {
  if (!element.querySelector("#result-model")) return;
  const { top } = element.getBoundingClientRect();
  if (top < 0 || top > 0.6 * window.innerHeight) element.closest("#result").scrollIntoView();
});
