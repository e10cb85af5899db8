/** What is drawn as a file: SVG, PNG, CSV or JSON. */

import { colour } from "./palette.js";
import { badge, shortened } from "./labels.js";

const FONT = "Segoe UI, system-ui, Roboto, Helvetica Neue, Arial, sans-serif";

/**
 * @param {"svg"|"png"|"csv"|"json"} kind @param {import("./graph_view.js").GraphView} view
 * @param {import("./scene.js").Scene} scene
 */
export async function save(kind, view, scene) {
  const made = {
    svg: () => svgBlob(view),
    png: () => pngBlob(view),
    csv: () => csvBlob(scene),
    json: () => jsonBlob(scene),
  };
  const blob = await made[kind]();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `graph.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const svgBlob = (view) => new Blob([svg(view)], { type: "image/svg+xml" });

/** The picture as it is seen now, as shapes and texts. */
function svg({ sigma, graph, palette }) {
  const { width, height } = sigma.getDimensions();
  const at = new Map(
    graph.mapNodes((key, attributes) => [
      key,
      { ...sigma.graphToViewport(attributes), size: sigma.scaleSize(attributes.size) },
    ]),
  );
  const bends = bendsOf(graph);
  const edges = graph.mapEdges((id, attributes, subject, object) =>
    edge(attributes, at.get(subject), at.get(object), bends.get(id), palette),
  );
  const nodes = graph.mapNodes((key, attributes) => node(key, attributes, at.get(key)));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT}" font-size="13" text-anchor="middle">
<rect width="100%" height="100%" fill="${colour("ground")}"/>
<defs><marker id="tip" viewBox="0 0 8 6" refX="8" refY="3" markerWidth="8" markerHeight="6" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 8 3 0 6Z" fill="context-stroke"/></marker></defs>
${edges.join("\n")}
${nodes.join("\n")}
</svg>`;
}

/** How far each edge bends to its left, so that several between the same two terms are told apart. */
function bendsOf(graph) {
  const beside = new Map();
  graph.forEachEdge((id, _, subject, object) => {
    const pair = JSON.stringify([subject, object].sort());
    beside.set(pair, [...(beside.get(pair) ?? []), { id, side: subject < object ? 1 : -1 }]);
  });
  const bends = new Map();
  for (const edges of beside.values()) {
    edges.forEach(({ id, side }, place) => bends.set(id, side * (place - (edges.length - 1) / 2) * 0.3));
  }
  return bends;
}

function edge(attributes, from, to, bend, palette) {
  const line = `fill="none" stroke="${palette.colour(attributes.predicate)}" stroke-width="${(attributes.thickness / 1.5).toFixed(1)}"${attributes.inferred ? ' stroke-dasharray="6 4"' : ""}`;
  const label = `<title>${escaped(attributes.predicate)}</title>`;
  if (from === to) {
    return `<circle cx="${round(from.x)}" cy="${round(from.y - from.size * 1.5)}" r="${round(from.size * 1.5)}" ${line}>${label}</circle>`;
  }
  const x = (from.x + to.x) / 2 - (to.y - from.y) * bend;
  const y = (from.y + to.y) / 2 + (to.x - from.x) * bend;
  const long = Math.hypot(to.x - x, to.y - y) || 1;
  const tip = [to.x - ((to.x - x) / long) * to.size, to.y - ((to.y - y) / long) * to.size];
  const path = `M${round(from.x)} ${round(from.y)}Q${round(x)} ${round(y)} ${tip.map(round).join(" ")}`;
  return `<path d="${path}" ${line} marker-end="url(#tip)">${label}</path>`;
}

function node(key, attributes, { x, y, size }) {
  const more = badge(attributes);
  const below = attributes.open && more ? ` x="${round(x)}" dy="14"` : "";
  const beside = more && `<tspan${below} font-size="11" fill="${colour("quiet")}"> ${escaped(more)}</tspan>`;
  const outline = `stroke="${colour("ground")}" stroke-width="3" paint-order="stroke"`;
  return `<circle cx="${round(x)}" cy="${round(y)}" r="${round(size)}" fill="${attributes.color}"><title>${escaped(key)}</title></circle>
<text x="${round(x)}" y="${round(y + size + 14)}" fill="${colour("text")}" ${outline}>${escaped(shortened(key))}${beside}</text>`;
}

const round = (number) => Number(number.toFixed(1));
const escaped = (text) => text.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);

/** The same picture as pixels, with twice the width and height. */
async function pngBlob(view) {
  const { width, height } = view.sigma.getDimensions();
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg(view))}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: width * 2, height: height * 2 });
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error("The picture is too large for a PNG. Save it as SVG."))),
      "image/png",
    ),
  );
}

/** Columns that `import_triples` reads again, and whether a fact is inferred. */
function csvBlob({ facts }) {
  const rows = [
    ["subject", "predicate", "object", "weight", "inferred"],
    ...facts.map((one) => [one.subject, one.predicate, one.object, one.weight, one.inferred]),
  ];
  const cell = (value) => (/[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  return new Blob([rows.map((row) => row.map(cell).join(",")).join("\n"), "\n"], { type: "text/csv" });
}

function jsonBlob({ facts, nodes }) {
  const terms = [...nodes.values()].map(({ term, open, more }) => ({ term, open, more }));
  const shown = facts.map(({ onPath, ...fact }) => fact);
  return new Blob([JSON.stringify({ terms, facts: shown }, null, 2), "\n"], { type: "application/json" });
}
