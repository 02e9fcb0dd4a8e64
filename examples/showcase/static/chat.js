// The chat page. Whatever comes from the server is shown as text, never as markup.
"use strict";

const SHOWN_AT_MOST = 200;
const LONGEST_WAIT = 15000;
// Close codes after which trying again would end the same way.
const FINAL = new Set([1003, 1008, 1009, 4003, 4004]);

const element = (id) => document.getElementById(id);
const log = element("log");

let socket = null;
let wanted = null; // the room and the name, while the visitor wants to be there
let failures = 0;
let timer = 0;

function show(text) {
  element("status").textContent = text;
}

function addLine(name, text) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const line = document.createElement("p");
  if (name === null) {
    line.className = "note";
  } else {
    const speaker = document.createElement("strong");
    speaker.textContent = name;
    line.append(speaker, " ");
  }
  line.append(text);
  log.append(line);
  while (log.childElementCount > SHOWN_AT_MOST) log.firstElementChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function listPeople(names) {
  element("people").replaceChildren(
    ...names.map((name) => {
      const item = document.createElement("li");
      item.textContent = name;
      return item;
    }),
  );
}

const on = {
  welcome({ room, name, people, said }) {
    failures = 0;
    log.replaceChildren();
    for (const line of said) addLine(line.name, line.text);
    listPeople(people);
    element("room-name").textContent = room;
    show(`You are in ${room} as ${name}.`);
    element("say").querySelector("button").disabled = false;
  },
  people({ people, note }) {
    listPeople(people);
    addLine(null, note);
  },
  said({ name, text }) {
    addLine(name, text);
  },
};

function connect() {
  const address = new URL(`/chat/${encodeURIComponent(wanted.room)}`, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  address.searchParams.set("name", wanted.name);
  const opened = new WebSocket(address);
  socket = opened;
  opened.addEventListener("message", ({ data }) => {
    if (socket !== opened) return;
    const message = JSON.parse(data);
    on[message.kind]?.(message);
  });
  opened.addEventListener("close", ({ code, reason }) => {
    if (socket === opened) closed(code, reason);
  });
}

function closed(code, reason) {
  socket = null;
  element("say").querySelector("button").disabled = true;
  if (FINAL.has(code)) {
    leave(reason || "The server has closed the connection.");
    return;
  }
  // Not all at once when a server comes back: up to twice as long each time, and a part of it by chance.
  const wait = Math.min(LONGEST_WAIT, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
  failures += 1;
  show("The connection is lost. Trying again …");
  timer = setTimeout(connect, wait);
}

function leave(text) {
  const left = socket;
  clearTimeout(timer);
  socket = wanted = null;
  left?.close(1000);
  element("chat").hidden = true;
  element("join").hidden = false;
  show(text);
  element("name").focus();
}

element("join").addEventListener("submit", (event) => {
  event.preventDefault();
  wanted = { name: element("name").value, room: element("room").value };
  failures = 0;
  element("join").hidden = true;
  element("chat").hidden = false;
  show("Connecting …");
  connect();
  element("text").focus();
});

element("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = element("text");
  if (socket?.readyState !== WebSocket.OPEN) return; // what was typed stays
  socket.send(input.value);
  input.value = "";
});

element("leave").addEventListener("click", () => leave("You have left."));
