/** The graph as a picture: Sigma draws nodes and edges with WebGL, and `labels.js` the texts above them. */

import { Labels } from "./labels.js";
import { settle, start } from "./layout.js";
import { colour } from "./palette.js";

const { Sigma, graphology } = globalThis;
const { extremityArrow, layerDashed, layerPlain, pathCurved, pathLine, pathLoop } = Sigma.rendering;

const ZOOM_MS = 200;
const MOVE_MS = 300;
/** So many terms stand beside each other in their full size. */
const CROWD = 150;
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

const PRIMITIVES = {
  edges: {
    paths: [pathLine(), pathCurved(), pathLoop()],
    extremities: [extremityArrow({ lengthRatio: 4, widthRatio: 3 })],
    variables: { solid: { type: "color", default: "transparent" }, gap: { type: "number", default: 0 } },
    // An asserted fact has a line, an inferred one dashes, which are seen only where the line is not.
    layers: [
      layerPlain({ color: { attribute: "solid" } }),
      layerDashed({
        dashSize: { value: 8, mode: "pixels" },
        gapSize: { attribute: "gap", default: 0, mode: "pixels" },
        gapColor: 0,
      }),
    ],
  },
};

const SETTINGS = {
  /** As long as most systems wait for the second click; a slow machine takes a while to see it. */
  doubleClickTimeout: 500,
  renderLabels: false,
  enableEdgeEvents: true,
  edgePickingPadding: 4,
  nodePickingPadding: 4,
  enableNodeDrag: true,
  enableCameraRotation: false,
  minEdgeThickness: 1,
  itemSizesReference: "screen",
  stagePadding: 56,
  minCameraRatio: 0.05,
  maxCameraRatio: 6,
  autoRescale: true,
  // Before the graph can be read, and behind another panel on a narrow screen, it has no size.
  allowInvalidContainer: true,
};

export class GraphView {
  /**
   * @param {HTMLElement} container
   * @param {import("./palette.js").Palette} palette
   * @param {{onNode: (term: string) => void, onOpen: (term: string) => void, onFact: (id: string) => void,
   *   onNothing: () => void, onPlaced: (term: string, x: number, y: number) => void}} actions
   */
  constructor(container, palette, actions) {
    this.container = container;
    this.palette = palette;
    this.actions = actions;
    this.graph = new graphology.MultiDirectedGraph();
    /** @type {Map<string, {x: number, y: number}>} where nodes stand or have stood, in case they come again */
    this.stood = new Map();
    this.settling = new AbortController();
    this.selected = { node: null, fact: null };
    this.sigma = new Sigma(this.graph, container, {
      primitives: PRIMITIVES,
      styles: {
        nodes: { ...Sigma.DEFAULT_STYLES.nodes, backdropVisibility: "hidden", cursor: "pointer" },
        edges: {
          ...Sigma.DEFAULT_STYLES.edges,
          solid: { attribute: "solid", defaultValue: "transparent" },
          gap: { attribute: "gap", defaultValue: 0 },
          head: "arrow",
          path: "straight",
          parallelPath: "curved",
          selfLoopPath: "loop",
          cursor: "pointer",
        },
      },
      settings: SETTINGS,
    });
    // Where a browser's console and tests find where nodes stand.
    Object.assign(container, { view: this });
    this.labels = new Labels(this.sigma, this.graph, palette);
    this.#listen();
    new ResizeObserver(() => container.offsetWidth && this.sigma.resize().refresh()).observe(container);
  }

  /**
   * Draw a scene, and place what is new in it.
   * @param {import("./scene.js").Scene} scene @param {import("./state.js").State} state
   */
  async show(scene, state) {
    this.settling.abort();
    this.settling = new AbortController();
    const { signal } = this.settling;
    const pins = new Map(state.pins.map(([term, x, y]) => [term, { x, y }]));
    const known = new Set(this.graph.nodes());
    const same = known.size === scene.nodes.size && [...scene.nodes.keys()].every((term) => known.has(term));
    const bodies = start(scene.nodes, this.stood, pins);
    this.sigma.once("afterRender", () => performance.mark("explorer-drawn"));
    this.#fill(scene, bodies, pins);
    this.select(state);
    if (same || !bodies.length) {
      this.#settled();
      return;
    }
    this.container.dataset.settled = "false";
    const places = new Map(bodies.map((body, place) => [body.key, place]));
    const links = scene.facts.map((fact) => [places.get(fact.subject), places.get(fact.object)]);
    await settle(
      bodies,
      links.filter(([one, two]) => one !== two),
      { atOnce: calm(), signal },
    );
    if (signal.aborted) return;
    await this.#move(bodies);
    if (!signal.aborted) this.#settled();
  }

  /** All stands in its place, and is drawn there. */
  #settled() {
    this.sigma.refresh();
    this.container.dataset.settled = "true";
  }

  /** Mark what is selected. @param {{node: string|null, fact: string|null}} selected */
  select({ node, fact }) {
    this.selected = { node, fact };
    this.paint();
  }

  /** Give everything its colour and size anew, after a change of theme or selection. */
  paint() {
    const { node, fact } = this.selected;
    // Attributes are changed in place, since each event of the graph would make Sigma draw.
    this.graph.forEachNode((term, attributes) => {
      attributes.color = colour(
        term === node ? "select" : attributes.onPath ? "path" : attributes.open ? "open" : "node",
      );
    });
    this.graph.forEachEdge((id, attributes, subject, object) => {
      const chosen = id === fact || attributes.onPath;
      attributes.color = id === fact ? colour("select") : this.palette.colour(attributes.predicate);
      attributes.solid = attributes.inferred ? "transparent" : attributes.color;
      attributes.size = attributes.thickness + (chosen ? 2.5 : 0);
    });
    this.labels.selected = this.selected;
    this.sigma.refresh();
  }

  /** @param {"in"|"out"|"fit"} how */
  zoom(how) {
    const camera = this.sigma.getCamera();
    const state =
      how === "fit" ? { x: 0.5, y: 0.5, ratio: 1, angle: 0 } : { ratio: camera.ratio * (how === "in" ? 1 / 1.5 : 1.5) };
    if (calm()) camera.setState(state);
    else camera.animate(state, { duration: ZOOM_MS });
  }

  /** @param {number} right @param {number} down parts of the picture's width and height */
  pan(right, down) {
    const camera = this.sigma.getCamera();
    camera.setState({ x: camera.x + right * camera.ratio, y: camera.y - down * camera.ratio });
  }

  #fill(scene, bodies, pins) {
    const { graph } = this;
    const facts = new Set(scene.facts.map((fact) => fact.id));
    for (const id of graph.edges()) if (!facts.has(id)) graph.dropEdge(id);
    for (const term of graph.nodes()) if (!scene.nodes.has(term)) graph.dropNode(term);
    // Where many stand, each takes less room.
    const scale = Math.max(0.35, Math.min(1, Math.sqrt(CROWD / scene.nodes.size)));
    for (const { key, x, y } of bodies) {
      const node = scene.nodes.get(key);
      const size = scale * (node.open ? 8 : 5) + Math.min(6, scale * Math.sqrt(node.degree));
      graph.mergeNode(key, { ...node, x, y, size, label: key, pinned: pins.has(key) });
    }
    for (const { id, subject, predicate, object, weight, inferred, onPath } of scene.facts) {
      const thickness = scale * (1 + weight * 4);
      const attributes = { predicate, inferred, onPath, thickness, gap: inferred ? 6 : 0 };
      graph.mergeDirectedEdgeWithKey(id, subject, object, attributes);
    }
  }

  #move(bodies) {
    for (const { key, x, y } of bodies) this.stood.set(key, { x, y });
    const targets = Object.fromEntries(bodies.map(({ key, x, y }) => [key, { x, y }]));
    if (calm()) {
      for (const { key, x, y } of bodies) this.graph.mergeNodeAttributes(key, { x, y });
      return null;
    }
    return new Promise((resolve) => {
      const cancel = Sigma.utils.animateNodes(this.graph, targets, { duration: MOVE_MS }, () => resolve(null));
      this.settling.signal.addEventListener("abort", () => {
        cancel();
        resolve(null);
      });
    });
  }

  #listen() {
    const { sigma, actions, container } = this;
    let dragged = false;
    sigma.on("clickNode", ({ node }) => (dragged ? null : actions.onNode(node)));
    sigma.on("doubleClickNode", (event) => {
      event.preventSigmaDefault();
      actions.onOpen(event.node);
    });
    // Labels belong to their terms, whatever is below them.
    const click = ({ event, edge }) => {
      const term = this.labels.at(event);
      if (term !== null) actions.onNode(term);
      else if (edge) actions.onFact(edge);
      else actions.onNothing();
    };
    const doubleClick = (payload) => {
      const term = this.labels.at(payload.event);
      if (term === null) return;
      payload.preventSigmaDefault();
      actions.onOpen(term);
    };
    for (const kind of ["Edge", "Stage"]) {
      sigma.on(`click${kind}`, click);
      sigma.on(`doubleClick${kind}`, doubleClick);
    }
    sigma.on("nodeDragStart", () => {
      // The picture must not be scaled anew while a node moves beyond its edge.
      if (!sigma.getCustomBBox()) sigma.setCustomBBox(sigma.getBBox());
      dragged = true;
    });
    sigma.on("nodeDragEnd", ({ node }) => {
      const { x, y } = this.graph.getNodeAttributes(node);
      this.stood.set(node, { x, y });
      actions.onPlaced(node, x, y);
      setTimeout(() => (dragged = false));
    });
    for (const kind of ["Node", "Edge"]) {
      sigma.on(`enter${kind}`, (event) => this.labels.hover(event.node ?? event.edge));
      sigma.on(`leave${kind}`, () => this.labels.hover(null));
    }
    container.addEventListener("keydown", (event) => this.#key(event));
  }

  #key(event) {
    const moves = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] };
    const zooms = { "+": "in", "=": "in", "-": "out", 0: "fit" };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in moves) this.pan(...moves[event.key]);
    else if (event.key in zooms) this.zoom(zooms[event.key]);
    else return;
    event.preventDefault();
  }
}
