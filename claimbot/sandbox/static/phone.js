// What happens on the phone: read it each second, write, tap, comment. No library, no reload.
"use strict";

const REFRESH_MS = 1000;
const NEW = " new";
const SHADES = ["#7a4b2c", "#8c2f4b", "#35607a", "#4a6b35", "#6a4a8c", "#8a5a10"];
const at = (id) => document.getElementById(id);
const account = document.querySelector(".world").dataset.account;
let me = new URLSearchParams(location.search).get("follower") || localStorage.getItem("follower") || "ana";
let people = [];
let shownThread = "";
let shownPeople = "";

async function ask(path, body, method = body === undefined ? "GET" : "POST") {
  const answer = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return answer.json();
}

function make(tag, text, className) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
}

function shade(name) {
  let sum = 0;
  for (const letter of name) sum += letter.codePointAt(0);
  return SHADES[sum % SHADES.length];
}

function avatar(name) {
  const node = make("span", name.slice(0, 1).toUpperCase(), "avatar");
  node.setAttribute("aria-hidden", "true");
  node.style.setProperty("--shade", shade(name));
  return node;
}

function become(handle) {
  me = handle;
  localStorage.setItem("follower", me);
  at("me").textContent = me;
  shownThread = shownPeople = "";
  refresh();
}

function trouble(status) {
  const words = status === 0 ? "The engine could not be reached" : `The engine answered ${status}`;
  at("trouble").textContent = `${words}. The platform tries again by itself.`;
  at("trouble").hidden = status === 200;
}

async function say(text, extra = {}) {
  const answer = await ask("/api/dm", { follower: me, text, account, ...extra });
  trouble(answer.status);
  refresh();
}

function showPeople() {
  const told = JSON.stringify([people, me]);
  if (told === shownPeople) return;
  shownPeople = told;
  at("me").textContent = me;
  at("nobody").hidden = people.length > 0;
  at("people").replaceChildren(...people.map((one) => {
    const button = make("button");
    button.type = "button";
    button.append(avatar(one.follower), make("span", one.follower, one.blocked ? "gone" : ""));
    button.setAttribute("aria-current", String(one.follower === me));
    button.addEventListener("click", () => become(one.follower));
    const row = make("li");
    row.append(button);
    return row;
  }));
  const handles = people.map((one) => one.follower);
  const options = (handles.includes(me) ? handles : [me, ...handles]).map((handle) => new Option(handle, handle, false, handle === me));
  at("who").replaceChildren(...options, new Option("Somebody new…", NEW));
  const mine = people.find((one) => one.follower === me);
  at("block").textContent = mine && mine.blocked ? "Unblock the brand" : "Block the brand";
}

function bubble(message, isLast) {
  const row = make("li", undefined, message.direction + (message.unsent ? " unsent" : ""));
  if (message.image) {
    const image = make("img");
    image.src = message.image;
    image.alt = "";
    row.append(image);
  }
  if (message.text || message.unsent) row.append(make("span", message.unsent ? "Message unsent" : message.text, "bubble"));
  for (const button of message.buttons) row.append(button.url ? link(button) : tap(button, true));
  if (isLast && message.choices.length) {
    const choices = make("span", undefined, "choices");
    choices.append(...message.choices.map((choice) => tap(choice, false)));
    row.append(choices);
  }
  const time = new Date(message.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const note = { comment: " · answer to your comment", human: " · written by hand" }[message.note] || "";
  row.append(make("small", time + note + (message.reaction ? ` · ${message.reaction}` : "")));
  return row;
}

function link(button) {
  const node = make("a", button.title);
  node.href = button.url;
  node.target = "_blank";
  node.rel = "noopener";
  return node;
}

function tap(choice, postback) {
  const node = make("button", choice.title);
  node.type = "button";
  node.addEventListener("click", () => say(choice.title, { payload: choice.payload, postback }));
  return node;
}

function showThread(messages) {
  const told = JSON.stringify(messages);
  if (told === shownThread) return;
  shownThread = told;
  const rows = messages.map((message, place) => bubble(message, place === messages.length - 1));
  if (!rows.length) rows.push(make("li", "Nothing here yet. Write LAUNCH, or tap the chip below.", "empty"));
  at("thread").replaceChildren(...rows);
  at("thread").scrollTop = at("thread").scrollHeight;
}

function showState(state) {
  at("now").textContent = new Date(state.now).toLocaleString();
  const facts = {
    "Messages sent to followers": state.sends_accepted,
    "Webhooks accepted": state.deliveries.accepted,
    "Webhooks refused or lost": state.deliveries.failed + state.deliveries.dropped,
    "Webhooks waiting": state.deliveries.waiting,
    "Payment pages open": state.sessions.open,
    "Paid": state.sessions.paid,
    "Expired": state.sessions.expired,
    "Refunds": state.sessions.refunds,
  };
  at("state").replaceChildren(...Object.entries(facts).flatMap(([name, value]) => [make("dt", name), make("dd", value)]));
  const armed = state.faults.map((one) => make("li", `${one.target}: ${one.fault} × ${one.times}`));
  at("armed").replaceChildren(...(armed.length ? armed : [make("li", "nothing")]));
}

async function refresh() {
  const whose = me;
  const [everybody, messages, state] = await Promise.all([
    ask("/api/followers"), ask(`/api/followers/${encodeURIComponent(whose)}/messages`), ask("/api/state"),
  ]);
  if (whose !== me) return;
  people = everybody;
  showPeople();
  showThread(messages);
  showState(state);
}

async function meet(handle) {
  await ask("/api/followers", { follower: handle });
  become(handle);
}

at("meet").addEventListener("submit", (event) => {
  event.preventDefault();
  meet(at("handle").value.trim());
  at("handle").value = "";
  at("text").focus();
});
at("who").addEventListener("change", (event) => {
  if (event.target.value !== NEW) return become(event.target.value);
  return meet(`follower${people.length + 1}`);
});
at("write").addEventListener("submit", (event) => {
  event.preventDefault();
  say(at("text").value);
  at("text").value = "";
});
at("comment").addEventListener("click", async () => {
  const text = at("text").value.trim() || "LAUNCH";
  const answer = await ask("/api/comment", { follower: me, text, media: "17900000000000001", account });
  trouble(answer.status);
  refresh();
});
for (const node of document.querySelectorAll("[data-say]")) node.addEventListener("click", () => say(node.dataset.say));
for (const node of document.querySelectorAll("[data-jump]")) {
  node.addEventListener("click", () => ask("/api/clock", { advance_seconds: Number(node.dataset.jump) }).then(refresh));
}
for (const node of document.querySelectorAll("[data-fault]")) {
  node.addEventListener("click", () => ask("/api/faults", { target: node.dataset.target, fault: node.dataset.fault, times: 1 }).then(refresh));
}
at("calm").addEventListener("click", () => ask("/api/faults", undefined, "DELETE").then(refresh));
at("human").addEventListener("click", () => ask("/api/echo", { follower: me, account, text: "Hi, a person here. How can I help?" }).then(refresh));
at("block").addEventListener("click", () => {
  const mine = people.find((one) => one.follower === me);
  ask(`/api/followers/${encodeURIComponent(me)}/${mine && mine.blocked ? "unblock" : "block"}`, {}).then(refresh);
});

become(me);
setInterval(() => refresh().catch(() => {}), REFRESH_MS);
