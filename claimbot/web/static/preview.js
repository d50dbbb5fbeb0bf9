// What will followers see? Asks the server for the preview while somebody types; a button does the same.
"use strict";

const form = document.getElementById("drop-form");

if (form) {
  let pending = 0;
  let round = 0;

  const draw = async () => {
    const mine = ++round;
    const typed = new URLSearchParams(new FormData(form));
    typed.set("do", "preview");
    try {
      const answer = await fetch(form.action, { method: "POST", body: typed, headers: { "X-Live": "1" } });
      if (!answer.ok || answer.redirected || mine !== round) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("preview");
      if (fresh) document.getElementById("preview").replaceChildren(...fresh.childNodes);
    } catch {
      // Offline for a moment: the next letter asks again.
    }
  };

  form.addEventListener("input", () => {
    clearTimeout(pending);
    pending = setTimeout(draw, 350);
  });
}
