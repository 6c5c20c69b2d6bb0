// Counts the time to pay down and shows the page anew when it is over. It goes by the time since the page was loaded: the server's clock may be another one.
const left = document.querySelector('[data-seconds-left]');
const end = performance.now() + Number(left.dataset.secondsLeft) * 1000;

function tick() {
  const seconds = Math.max(0, Math.ceil((end - performance.now()) / 1000));
  const minutes = Math.floor(seconds / 60);
  left.textContent = minutes < 60 ? `${minutes}:${String(seconds % 60).padStart(2, '0')}` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  if (seconds === 0) location.replace(location.pathname);
  else setTimeout(tick, 500);
}

tick();
