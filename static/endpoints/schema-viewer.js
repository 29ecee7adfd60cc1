// Swagger UI, to read only: requests are sent by the server, from the Try it page.
const viewer = document.getElementById("viewer");
const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");

const dress = () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
  root.classList.toggle("dark-mode", dark);
};
system.addEventListener("change", dress);
dress();

SwaggerUIBundle({
  url: viewer.dataset.url,
  domNode: viewer,
  supportedSubmitMethods: [],
  validatorUrl: null,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
});
