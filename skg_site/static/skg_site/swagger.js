"use strict";

const container = document.getElementById("swagger-ui");

SwaggerUIBundle({
  url: container.dataset.document,
  domNode: container,
  deepLinking: true,
  displayRequestDuration: true,
  // Only this service's own document is shown, whatever the address of the page says.
  queryConfigEnabled: false,
  validatorUrl: null,
});
