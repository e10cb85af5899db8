/** Adds a fact and asks for it, with the `fetch` of Node as it comes. */
const [url, key, fact, query] = process.argv.slice(2);

async function post(path, body) {
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
  const answer = await fetch(url + path, { method: "POST", headers, body });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer.text();
}

await post("/triples/add", fact);
process.stdout.write(await post("/query", query));
