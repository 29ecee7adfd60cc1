// Swagger UI, to read only: requests are sent by the server, from the Try it page.
const viewer = document.getElementById("viewer");
SwaggerUIBundle({
  url: viewer.dataset.url,
  domNode: viewer,
  supportedSubmitMethods: [],
  validatorUrl: null,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
});
