/**
 * Places nodes by forces (Fruchterman and Reingold, Software: Practice and Experience 21(11), 1991). The work is done in
 * slices between frames, and ends after a number of rounds that the number of nodes decides. Nodes that were placed by
 * hand stay; those that stood before move little, so that the picture stays the one that somebody has in mind.
 */

const LENGTH = 100;
const SLICE_MS = 10;
const MOST_PAIRS = 30_000_000;
const SETTLED = 0.12;
/** The square of the distance beyond which nodes leave each other alone, so that parts without a link stay near. */
const REACH = (6 * LENGTH) ** 2;

/**
 * @typedef {{x: number, y: number}} Point
 * @typedef {{key: string, x: number, y: number, fixed: boolean, heat: number}} Body
 */

/**
 * Where each node starts: where it stood, or around the node that brought it.
 * @param {Map<string, {term: string, from: string|null}>} nodes
 * @param {Map<string, Point>} stood @param {Map<string, Point>} pins
 * @returns {Body[]}
 */
export function start(nodes, stood, pins) {
  const placed = new Map();
  const brought = new Map();
  let roots = 0;
  // What has no link to what stands begins to the right of it.
  const xs = [...nodes.values()].flatMap(({ term }) => stood.get(term)?.x ?? []);
  const beside = xs.length ? { x: Math.max(...xs) + 3 * LENGTH, y: 0 } : { x: 0, y: 0 };
  for (const { term, from } of nodes.values()) {
    const pin = pins.get(term);
    const at = pin ?? stood.get(term);
    if (at) {
      placed.set(term, { key: term, x: at.x, y: at.y, fixed: Boolean(pin), heat: SETTLED });
      continue;
    }
    const parent = from === null ? null : (placed.get(from) ?? stood.get(from) ?? null);
    const number = parent ? (brought.get(from) ?? 0) : roots++;
    if (parent) brought.set(from, number + 1);
    placed.set(term, { key: term, ...around(parent ?? beside, number + (parent ? 1 : 0)), fixed: false, heat: 1 });
  }
  return [...placed.values()];
}

/** The points of a sunflower: evenly spread, whatever their number. */
function around(centre, number) {
  const angle = number * 2.399963;
  const radius = LENGTH * 0.9 * Math.sqrt(number);
  return { x: centre.x + radius * Math.cos(angle), y: centre.y + radius * Math.sin(angle) };
}

/**
 * @param {Body[]} bodies @param {[number, number][]} links pairs of places in `bodies`
 * @param {{atOnce: boolean, signal: AbortSignal}} options
 * @returns {Promise<Body[]>} the bodies in their places, after a bounded number of rounds
 */
export async function settle(bodies, links, { atOnce, signal }) {
  const pairs = Math.max(1, (bodies.length * (bodies.length - 1)) / 2);
  const rounds = Math.max(12, Math.min(260, Math.floor(MOST_PAIRS / pairs)));
  const forces = new Float64Array(bodies.length * 2);
  let since = performance.now();
  for (let round = 0; round < rounds; round += 1) {
    const temperature = LENGTH * 0.9 * (1 - round / rounds) ** 1.5;
    move(bodies, links, forces, temperature);
    if (!atOnce && performance.now() - since > SLICE_MS) {
      await new Promise((resolve) => setTimeout(resolve));
      if (signal.aborted) return bodies;
      since = performance.now();
    }
  }
  return bodies;
}

function move(bodies, links, forces, temperature) {
  forces.fill(0);
  repel(bodies, forces);
  for (const [one, two] of links) attract(bodies, forces, one, two);
  bodies.forEach((body, place) => {
    if (body.fixed) return;
    const x = forces[2 * place] - body.x * 0.03;
    const y = forces[2 * place + 1] - body.y * 0.045;
    const size = Math.hypot(x, y) || 1;
    const step = Math.min(size, temperature) * body.heat;
    body.x += (x / size) * step;
    body.y += (y / size) * step;
  });
}

function repel(bodies, forces) {
  for (let one = 0; one < bodies.length; one += 1) {
    const { x, y } = bodies[one];
    for (let two = 0; two < one; two += 1) {
      // Labels are wider than they are high: neighbours beside each other need more room.
      let dx = (x - bodies[two].x) * 0.75;
      let dy = y - bodies[two].y;
      if (dx === 0 && dy === 0) [dx, dy] = [0.1 + (one % 7) * 0.01, 0.1];
      const square = dx * dx + dy * dy;
      if (square > REACH) continue;
      const pull = (LENGTH * LENGTH) / square;
      forces[2 * one] += dx * pull;
      forces[2 * one + 1] += dy * pull;
      forces[2 * two] -= dx * pull;
      forces[2 * two + 1] -= dy * pull;
    }
  }
}

function attract(bodies, forces, one, two) {
  const dx = bodies[one].x - bodies[two].x;
  const dy = bodies[one].y - bodies[two].y;
  const pull = Math.hypot(dx, dy) / LENGTH;
  forces[2 * one] -= dx * pull;
  forces[2 * one + 1] -= dy * pull;
  forces[2 * two] += dx * pull;
  forces[2 * two + 1] += dy * pull;
}
