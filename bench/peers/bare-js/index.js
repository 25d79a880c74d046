// The floor in JavaScript: the least that a worker can do. `/kv` adds one KV read, and nothing else.

export default {
  fetch(request, env) {
    return request.url.endsWith("/kv") ? readOne(env.SESSIONS) : new Response("ok");
  },
};

async function readOne(store) {
  const value = await store.get("bench/probe");
  return value === null ? new Response("missing", { status: 500 }) : new Response("ok");
}
