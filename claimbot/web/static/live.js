// What happens now? Looks again by itself and puts the fresh numbers in place; a reload shows the same.
"use strict";

const live = document.getElementById("live");

if (live) {
  const wait = Number(live.dataset.live) * 1000;

  const look = async () => {
    try {
      const answer = await fetch(live.dataset.from, { headers: { "X-Live": "1" } });
      if (answer.redirected) {
        location.assign(answer.url);
        return;
      }
      if (answer.ok && !live.contains(document.activeElement)) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById("live");
        if (fresh) live.replaceChildren(...fresh.childNodes);
      }
    } catch {
      // Offline for a moment: the next look may find it again.
    }
    setTimeout(again, wait);
  };

  // A page that nobody sees asks nothing.
  const again = () => {
    if (document.hidden) document.addEventListener("visibilitychange", again, { once: true });
    else look();
  };

  setTimeout(again, wait);
}
