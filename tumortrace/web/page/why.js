// How strongly the map of a network covers the lesion.
element.addEventListener("input", (event) => {
  if (event.target.id !== "overlay-opacity") return;
  element.style.setProperty("--opacity", event.target.value / 100);
  element.querySelector("#overlay-opacity-said").textContent = event.target.value + " %";
});
