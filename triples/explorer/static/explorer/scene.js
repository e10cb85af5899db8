/**
 * What is drawn: the facts and terms that follow from the state and the answers.
 *
 * @typedef {{term: string, open: boolean, more: number, moreCapped: boolean, degree: number, from: string|null,
 *   onPath: boolean}} Node
 * @typedef {import("./api.js").Fact & {onPath?: boolean}} Fact
 * @typedef {{nodes: Map<string, Node>, facts: Fact[], all: Fact[],
 *   predicates: Map<string, {all: number, shown: number}>}} Scene
 */

/** The service counts the facts of terms that are not open up to this number. */
const COUNT_LIMIT = 100;

/** @param {import("./state.js").State} state @param {import("./answers.js").Answers} answers @returns {Scene} */
export function sceneOf(state, answers) {
  const all = collected(state, answers);
  const hide = new Set(state.hide);
  const loaded = loadedFacts(all);
  const facts = all.filter(
    (fact) => !hide.has(fact.predicate) && fact.weight >= state.min && !(state.asserted && fact.inferred),
  );
  const nodes = new Map();
  for (const [term, k] of state.open)
    nodes.set(term, { ...openNode(term, k, answers), degree: 0, from: null, onPath: false });
  const counts = Object.assign({}, ...state.open.map(([term]) => answers.neighbours.get(term)?.answer.counts));
  for (const fact of facts) {
    for (const [term, other] of [
      [fact.subject, fact.object],
      [fact.object, fact.subject],
    ]) {
      const node = nodes.get(term) ?? {
        term,
        open: false,
        more: counts[term] ?? 0,
        moreCapped: counts[term] >= COUNT_LIMIT,
        degree: 0,
        from: other,
        onPath: false,
      };
      node.degree += 1;
      node.onPath ||= Boolean(fact.onPath);
      nodes.set(term, node);
    }
  }
  for (const node of nodes.values()) if (!node.open) node.more = Math.max(0, node.more - loaded.get(node.term));
  return { nodes, facts, all, predicates: counted(all, facts) };
}

/** The facts of all that is open, asked and found, each once. */
function collected(state, answers) {
  /** @type {Map<string, Fact>} */
  const facts = new Map();
  const gone = new Set(state.gone);
  const take = (fact, more) => {
    if (gone.has(fact.subject) || gone.has(fact.object)) return;
    facts.set(fact.id, { ...facts.get(fact.id), ...fact, ...more });
  };
  for (const [term, k] of state.open) {
    for (const fact of answers.neighbours.get(term)?.answer.facts.slice(0, k) ?? []) take(fact, {});
  }
  if (state.question) for (const fact of answers.question(state)?.answer.facts ?? []) take(fact, {});
  const paths = state.from && state.to ? (answers.paths(state)?.paths ?? []) : [];
  for (const path of paths) for (const fact of path.facts) take(fact, { onPath: true });
  return [...facts.values()];
}

/** How many facts of each term are loaded. */
function loadedFacts(all) {
  const numbers = new Map();
  for (const { subject, object } of all) {
    for (const term of [subject, object]) numbers.set(term, (numbers.get(term) ?? 0) + 1);
  }
  return numbers;
}

/** A term that is open, with the number of its facts that are not shown. */
function openNode(term, k, answers) {
  const known = answers.neighbours.get(term)?.answer;
  const beyond = known ? Math.max(0, known.facts.length - k) : 0;
  return { term, open: true, more: (known?.more ?? 0) + beyond, moreCapped: Boolean(known?.more_capped) };
}

function counted(all, shown) {
  const counts = new Map();
  for (const { predicate } of all) {
    const one = counts.get(predicate) ?? { all: 0, shown: 0 };
    one.all += 1;
    counts.set(predicate, one);
  }
  for (const { predicate } of shown) counts.get(predicate).shown += 1;
  return counts;
}
