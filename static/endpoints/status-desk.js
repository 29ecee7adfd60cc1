// Planning work: the browser's own zone to begin with, and a list that narrows while one types.
(() => {
  const zone = document.querySelector("[data-guess-zone] input");
  if (zone?.value === "UTC") {
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const known = [...document.querySelectorAll("#zones option")].some((option) => option.value === here);
    if (known && here !== "UTC") {
      // The hours offered are UTC's: they move along, so that the window stays where it was.
      for (const name of ["start", "end"]) {
        const field = document.querySelector(`#plan [name=${name}]`);
        const at = new Date(`${field.value}Z`);
        const shown = new Intl.DateTimeFormat("sv-SE", { timeZone: here, dateStyle: "short", timeStyle: "short" }).format(at);
        field.value = shown.replace(" ", "T");
      }
      zone.value = here;
    }
  }
  for (const find of document.querySelectorAll("[data-narrow]")) {
    find.addEventListener("input", () => {
      for (const item of document.getElementById(find.dataset.narrow).children)
        item.hidden = !item.textContent.toLowerCase().includes(find.value.trim().toLowerCase());
    });
    find.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
    });
  }
})();
