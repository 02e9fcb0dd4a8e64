// Buttons with `data-try` send the request they describe, and show the answer in the page's <output>.
"use strict";

const SHOWN = ["content-type", "content-length", "content-range", "accept-ranges", "etag", "last-modified", "allow"];
const LONGEST = 1200;

async function send(button) {
  const { try: url, method = "GET", type, body, range, conditional } = button.dataset;
  const headers = {};
  if (type) headers["Content-Type"] = type;
  if (range) headers["Range"] = range;
  if (conditional !== undefined) {
    const known = await fetch(url, { method: "HEAD", cache: "no-store" });
    headers["If-None-Match"] = known.headers.get("etag");
  }
  const response = await fetch(url, { method, headers, body, cache: "no-store" });
  const lines = [`${method} ${url}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  lines.push("", `${response.status} ${response.statusText}`.trim());
  for (const name of SHOWN) {
    if (response.headers.has(name)) lines.push(`${name}: ${response.headers.get(name)}`);
  }
  const text = await response.text();
  if (text) lines.push("", text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
  return lines.join("\n");
}

for (const button of document.querySelectorAll("[data-try]")) {
  button.addEventListener("click", async () => {
    const output = document.querySelector("output.result");
    button.disabled = true;
    try {
      output.textContent = await send(button);
    } catch (error) {
      output.textContent = `No answer: ${error.message}`;
    } finally {
      output.hidden = false;
      button.disabled = false;
    }
  });
}
