// The attached resource, every two seconds. What it says of itself is text and
// nothing else.
'use strict';

{
  const panel = document.querySelector('#backing');
  const past = document.querySelector('#history');
  const every = 2000;
  const handle = panel.querySelector('[data-is=handle]').textContent;

  const tell = (name, text) => {
    for (const e of panel.querySelectorAll('[data-is=' + name + ']')) if (e.textContent !== text) e.textContent = text;
  };
  const element = (name, text) => {
    const e = document.createElement(name);
    e.textContent = text;
    return e;
  };
  const item = call => {
    const li = document.createElement('li');
    li.className = call.error ? 'failed' : call.attempts > 1 ? 'retried' : 'fine';
    const time = element('time', call.time.slice(11, 19));
    time.dateTime = call.time;
    li.append(time, ' ', element('b', call.status || 'no answer'), ' ', element('span', call.duration));
    if (call.attempts > 1) li.append(' ', element('span', call.attempts + ' attempts'));
    return li;
  };

  const show = backing => {
    if (backing.handle !== handle) { // it was swapped
      return location.replace(location.pathname === '/' ? location.href : '/');
    }
    const news = panel.dataset.state !== backing.state || past.dataset.newest !== (backing.rateDate || '');
    panel.dataset.state = backing.state;
    past.dataset.newest = backing.rateDate || '';
    if (news) document.dispatchEvent(new Event('backing'));
    tell('state', backing.state);
    tell('words', panel.dataset[backing.state]);
    tell('server', backing.server || 'nobody named');
    tell('rateDate', backing.rateDate || 'none known');
    tell('age', backing.age || 'nothing known');
    tell('breaker', backing.breaker);
    tell('lastError', backing.lastError || 'none');
    panel.querySelector('.calls').replaceChildren(...backing.calls.map(item));
    const ecb = /^rates\//.test(backing.server);
    document.querySelector('#source [data-of=ecb]').hidden = !ecb;
    document.querySelector('#source [data-of=host]').hidden = ecb;
  };

  const look = async () => {
    try {
      const reply = await fetch('/v1/backing', {signal: AbortSignal.timeout(5000)});
      if (reply.status === 404) { // a routing layer keeps it from the world
        document.querySelector('#inside').hidden = true;
        return;
      }
      if (!reply.ok) throw new Error(reply.status);
      show(await reply.json());
    } catch {
      panel.dataset.state = 'unknown';
      tell('state', 'unknown');
      tell('words', 'quotes itself does not answer.');
    }
    setTimeout(look, every);
  };
  setTimeout(look, every);
}
