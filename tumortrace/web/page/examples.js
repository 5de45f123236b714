// One of the example lesions was chosen.
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-example]");
  if (button) trigger("select", { example: Number(button.dataset.example) });
});
