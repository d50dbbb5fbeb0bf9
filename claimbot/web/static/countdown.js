// How much of the hold is left? Counted from the server's clock; the page works without this.
"use strict";

const place = document.getElementById("countdown");

if (place) {
  const began = performance.now();
  const left = Date.parse(place.dataset.ends) - Date.parse(place.dataset.now);

  const tell = () => {
    const seconds = Math.ceil((left - (performance.now() - began)) / 1000);
    if (seconds <= 0) {
      place.textContent = "The time is up";
      // The server tells what came of it; once is enough.
      if (left > 0) setTimeout(() => location.reload(), 2000);
      return;
    }
    const hours = Math.floor(seconds / 3600);
    const minutes = String(Math.floor(seconds / 60) % 60).padStart(hours ? 2 : 1, "0");
    const rest = String(seconds % 60).padStart(2, "0");
    place.textContent = `${hours ? `${hours}:` : ""}${minutes}:${rest} left`;
    setTimeout(tell, 1000);
  };

  tell();
}
