// The time that is left, and the page anew when none is.
'use strict';

{
  const quote = document.querySelector('.quote');
  const left = Number(quote.dataset.left);
  const began = performance.now(); // the server says how long; clocks may differ
  const countdown = quote.querySelector('.countdown');
  const progress = quote.querySelector('progress');

  const tick = () => {
    const millis = Math.max(0, left - (performance.now() - began));
    const s = Math.ceil(millis / 1000);
    const two = n => String(n).padStart(2, '0');
    countdown.textContent = (s >= 3600 ? Math.floor(s / 3600) + ':' + two(Math.floor(s / 60) % 60) : Math.floor(s / 60)) + ':' + two(s % 60) + ' left';
    progress.value = millis;
    if (millis === 0) setTimeout(renew, 300);
    else setTimeout(tick, Math.min(1000, millis));
  };
  const renew = async () => { // once there is somebody to answer: this page is better than none
    const reply = await fetch(location.href).catch(() => null);
    if (reply && reply.status < 500) location.reload();
    else setTimeout(renew, 2000);
  };
  if (quote.dataset.status === 'ACTIVE') tick();
  addEventListener('pageshow', event => { if (event.persisted) location.reload(); });
}
