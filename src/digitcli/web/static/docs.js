// Renders the OpenAPI description as a page; loads nothing from other sites.

const description = await (await fetch("/api/openapi.json")).json();
const paths = document.getElementById("paths");

function add(parent, tag, text = "", className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  parent.append(element);
  return element;
}

function resolve(schema) {
  return schema?.$ref ? description.components.schemas[schema.$ref.split("/").at(-1)] : schema ?? {};
}

function kind(schema) {
  if (schema.$ref) return schema.$ref.split("/").at(-1).replace(/Schema$/, "");
  const one = schema.anyOf ?? schema.oneOf;
  if (one) return one.map(kind).join(" or ");
  if (schema.type === "array") return `list of ${schema.items ? kind(schema.items) : schema.prefixItems.map(kind).join(", ")}`;
  if (schema.format === "binary" || schema.contentMediaType) return "file";
  return schema.format ?? schema.type ?? "anything";
}

function table(parent, headings, rows) {
  const element = add(parent, "table");
  const head = add(add(element, "thead"), "tr");
  for (const heading of headings) add(head, "th", heading).scope = "col";
  const body = add(element, "tbody");
  for (const row of rows) {
    const line = add(body, "tr");
    row.forEach((cell, i) => {
      if (i) add(line, "td", cell);
      else add(add(line, "th"), "code", cell).parentElement.scope = "row";
    });
  }
}

function fields(parent, name, schema) {
  const rows = Object.entries(schema.properties ?? {}).map(([key, value]) => [key, kind(value), value.description ?? ""]);
  if (!rows.length) return;
  add(parent, "h4", name);
  table(parent, ["field", "is", ""], rows);
}

document.getElementById("about").textContent = `${description.info.description} digitcli ${description.info.version}.`;
for (const here of document.querySelectorAll(".here")) here.textContent = location.origin;

paths.replaceChildren();
for (const [path, methods] of Object.entries(description.paths)) {
  for (const [method, operation] of Object.entries(methods)) {
    const part = add(paths, "section");
    add(part, "h2", `${method.toUpperCase()} ${path}`);
    add(part, "p", operation.description ?? operation.summary);
    if (operation.parameters?.length) {
      add(part, "h3", "Query parameters");
      table(part, ["parameter", "is", ""], operation.parameters.map((each) => [each.name, kind(each.schema), each.description ?? ""]));
    }
    const body = operation.requestBody;
    if (body) {
      add(part, "h3", "Request");
      add(part, "p", body.description);
      table(part, ["content type", "is"], Object.entries(body.content).map(([type, each]) => [type, kind(each.schema)]));
    }
    add(part, "h3", "Response");
    table(part, ["status", "is"], Object.entries(operation.responses).map(([status, each]) => [status, each.description]));
  }
}
add(paths, "h2", "Format of a drawing");
fields(paths, "Drawing", resolve({ $ref: "#/components/schemas/Drawing" }));
add(paths, "h2", "Format of a response");
for (const name of ["Reading", "Digit", "Failure", "Problem", "Model", "Health"]) {
  fields(paths, name, resolve({ $ref: `#/components/schemas/${name}Schema` }));
}
