/**
 * The graph over HTTP. The same client speaks to the data of this page with the session of the admin, and to the API
 * with a read key: paths, bodies and answers are the same.
 *
 * @typedef {{id: string, subject: string, predicate: string, object: string, weight: number, inferred: boolean}} Fact
 * @typedef {{predicate: string, out: number, in: number}} Around
 * @typedef {{term: string, facts: Fact[], more: number, more_capped?: boolean, predicates: Around[],
 *   predicates_capped?: boolean, predicates_counted_up_to?: number, counts: Object<string, number>, query_time_ms: number}} Neighbours
 */

const MOST_RETRIES = 5;

/** A failure as a sentence for people. */
export class ApiError extends Error {
  /** @param {string} message @param {number} status */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

export class Api {
  /**
   * @param {{base: string, headers: Object<string, string>, withKey: boolean}} transport
   * @param {(seconds: number) => void} onWait told when a rate limit makes the client wait
   */
  constructor(transport, onWait) {
    this.transport = transport;
    this.onWait = onWait;
  }

  /** Reads the data of this page with the session of the admin. */
  static ofSession(csrf, onWait) {
    return new Api({ base: "/explorer/data", headers: { "X-CSRFToken": csrf }, withKey: false }, onWait);
  }

  /** Reads the API with a key, which stays in this object. */
  static ofKey(key, onWait) {
    return new Api({ base: "", headers: { Authorization: `Bearer ${key}` }, withKey: true }, onWait);
  }

  terms(search, limit, signal) {
    return this.get("/terms", { search, limit }, signal);
  }

  /** @returns {Promise<Neighbours>} */
  neighbours(term, k, signal) {
    return this.post("/query/neighbours", { term: constant(term), k, include_counts: true }, signal);
  }

  patterns(document, signal) {
    return this.post("/query/patterns", { ...document, include_facts: true }, signal);
  }

  paths({ from, to, ...rest }, signal) {
    return this.post("/query/paths", { from: constant(from), to: constant(to), ...rest }, signal);
  }

  /** A page of a list of facts. @param {Object<string, any>} parameters */
  triples(parameters, signal) {
    return this.get("/triples", parameters, signal);
  }

  fact(id, signal) {
    return this.get(`/triples/${id}`, {}, signal);
  }

  explain(id, signal) {
    return this.get(`/triples/${id}/explain`, { depth: 6 }, signal);
  }

  get(path, parameters, signal) {
    const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined);
    const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
    return this.#ask(`${path}?${query}`, { signal });
  }

  post(path, body, signal) {
    const headers = { "Content-Type": "application/json" };
    return this.#ask(path, { method: "POST", body: JSON.stringify(body), headers, signal });
  }

  async #ask(path, options) {
    const { base, headers } = this.transport;
    for (let retries = 0; ; retries += 1) {
      const response = await reached(`${base}${path}`, { ...options, headers: { ...options.headers, ...headers } });
      if (response.ok) return response.json();
      if (response.status !== 429 || retries === MOST_RETRIES) throw await this.#failure(response);
      const seconds = Math.min(60, Number(response.headers.get("Retry-After")) || 1);
      this.onWait(seconds);
      await pause(seconds * 1000, options.signal);
    }
  }

  async #failure(response) {
    const problem = await response.json().catch(() => ({}));
    return new ApiError(sentence(response.status, problem, this.transport.withKey), response.status);
  }
}

/** A question in lines as the body of the API, with the calls that ask the same. */
export async function readQuestion(text, k, signal) {
  const response = await reached(`/explorer/question?${new URLSearchParams({ text, k: String(k) })}`, { signal });
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new ApiError(sentence(response.status, problem, false), response.status);
}

async function reached(url, options) {
  try {
    return await fetch(url, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("The service cannot be reached. Check your connection, then try again.", 0);
  }
}

function sentence(status, problem, withKey) {
  if (status === 401) {
    return withKey
      ? "This key does not work. Check that you copied all of it, and that it has not expired."
      : "You are not logged in any more. Log in again, and you will be back here.";
  }
  if (status === 403 && withKey) return "This key may not read facts. Use a key with the scope “read”.";
  if (status === 403 && !problem.detail) return "This page is too old to be answered. Reload it.";
  if (status === 429) return "The rate limit is used up. Wait a minute, then try again.";
  if (status === 422 && problem.errors?.length) {
    return problem.errors.map((one) => (one.msg.endsWith(".") ? one.msg : `${one.msg}.`)).join("\n");
  }
  return problem.detail || `The service answered with an error (${status}). Try again.`;
}

/** A term as a request asks for it: a text that begins with a question mark would be a variable. */
const constant = (term) => (term.startsWith("?") ? { term } : term);

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("Aborted", "AbortError"));
    });
  });
}
