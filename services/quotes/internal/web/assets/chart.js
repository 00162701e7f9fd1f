// The history of the pair, drawn by uPlot; the value under pointer, finger and
// arrow keys is told above it.
'use strict';

{
  const form = document.querySelector('#convert');
  const section = document.querySelector('#history');
  const plot = section.querySelector('.plot');
  const readout = section.querySelector('.readout');
  const details = section.querySelector('.numbers');
  const scroll = section.querySelector('.scroll');
  const csv = section.querySelector('.csv');
  const gap = 10 * 24 * 3600; // longer than any holidays: nothing was published
  let chart, loading, rates = [], pair = {}, newest = section.dataset.newest, at = -1;
  let span = section.querySelector('[aria-pressed=true]').dataset.span;

  const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const seconds = date => Date.parse(date + 'T00:00:00Z') / 1000;
  const size = () => ({width: plot.clientWidth, height: plot.clientHeight});
  const axisNumbers = values => {
    const digits = Math.max(...values.map(v => (String(Number(v.toPrecision(6))).split('.')[1] || '').length));
    return values.map(v => numberIn(v.toFixed(digits)));
  };

  // tell says the value of a day: in words, and as the slider that the chart
  // is to a screen reader.
  const tell = i => {
    at = i;
    if (!rates[i]) return;
    const day = dayOf(rates[i].date, {weekday: 'short', day: 'numeric', month: 'short', year: 'numeric'});
    const value = document.createElement('b');
    value.textContent = '1 ' + pair.source + ' = ' + numberIn(rates[i].rate) + ' ' + pair.target;
    readout.replaceChildren(value, day);
    plot.setAttribute('aria-valuenow', i);
    plot.setAttribute('aria-valuetext', day + ': ' + value.textContent);
  };

  const columns = () => {
    const xs = [], ys = [], days = [];
    rates.forEach(({date, rate}, i) => {
      const x = seconds(date);
      if (i > 0 && x - xs.at(-1) > gap) {
        xs.push((x + xs.at(-1)) / 2);
        ys.push(null);
        days.push(-1);
      }
      xs.push(x);
      ys.push(Number(rate));
      days.push(i);
    });
    return {xs, ys, days};
  };

  // chosen is the day of the form, or the published one before it.
  const chosen = () => form.date.value ? rates.findLastIndex(r => r.date <= form.date.value) : -1;

  const markChosen = u => {
    const i = chosen();
    if (i < 0) return;
    const x = u.valToPos(seconds(rates[i].date), 'x', true), y = u.valToPos(Number(rates[i].rate), 'y', true);
    const {ctx, bbox} = u;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = color('--mark');
    ctx.setLineDash([4, 4]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.beginPath();
    ctx.arc(x, y, 4 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.fill();
    ctx.restore();
  };

  const draw = () => {
    if (chart) chart.destroy();
    chart = undefined;
    plot.replaceChildren();
    plot.setAttribute('aria-valuemax', Math.max(0, rates.length - 1));
    if (rates.length === 0) return;
    const {xs, ys, days} = columns();
    const axis = {stroke: () => color('--soft'), grid: {stroke: () => color('--line'), width: 1}, ticks: {show: false}, font: '12px system-ui, sans-serif'};
    chart = new uPlot({
      ...size(),
      tzDate: ts => uPlot.tzDate(new Date(ts * 1e3), 'Etc/UTC'),
      legend: {show: false},
      cursor: {y: false, drag: {x: false, y: false}},
      axes: [{...axis, values: (u, splits, _, __, step) => splits.map(ts => new Intl.DateTimeFormat(undefined, {timeZone: 'UTC', ...(step >= 300 * 86400 ? {year: 'numeric'} : step >= 25 * 86400 ? {month: 'short', year: 'numeric'} : {day: 'numeric', month: 'short'})}).format(ts * 1e3))},
        {...axis, size: 64, values: (u, splits) => axisNumbers(splits)}],
      series: [{}, {stroke: () => color('--accent'), fill: () => color('--fill'), width: 1.5, spanGaps: false, points: {show: rates.length < 3}}],
      hooks: {
        draw: [markChosen],
        setCursor: [u => { if (u.cursor.idx != null && days[u.cursor.idx] >= 0) tell(days[u.cursor.idx]); }],
      },
    }, [xs, ys], plot);
    const over = chart.over; // uPlot itself follows the mouse alone
    const point = event => {
      if (event.pointerType !== 'mouse') chart.setCursor({left: event.clientX - over.getBoundingClientRect().left, top: 0});
    };
    over.addEventListener('pointerdown', point);
    over.addEventListener('pointermove', point);
    const i = chosen();
    tell(i < 0 ? rates.length - 1 : i);
  };

  const table = () => {
    if (!details.open || rates.length === 0) return scroll.replaceChildren();
    const t = document.createElement('table');
    t.createCaption().textContent = pair.source + ' in ' + pair.target;
    const head = t.createTHead().insertRow();
    for (const title of ['Day', pair.target]) {
      const th = document.createElement('th');
      th.scope = 'col';
      th.textContent = title;
      head.append(th);
    }
    const body = t.createTBody();
    for (const {date, rate} of [...rates].reverse()) {
      const row = body.insertRow();
      row.insertCell().textContent = dayOf(date, {dateStyle: 'medium'});
      row.insertCell().textContent = numberIn(rate);
    }
    scroll.replaceChildren(t);
  };

  const load = async () => {
    if (loading) loading.abort();
    loading = new AbortController();
    section.setAttribute('aria-busy', 'true');
    const values = new URLSearchParams({source: form.source.value, target: form.target.value});
    if (span) {
      const from = new Date(section.dataset.newest || Date.now());
      from.setUTCMonth(from.getUTCMonth() - Number(span));
      // The chosen day is seen too, or the published one before it.
      const chosen = form.date.value ? Date.parse(form.date.value) - 14 * 864e5 : Infinity;
      values.set('from', new Date(Math.min(from, chosen)).toISOString().slice(0, 10));
    }
    csv.href = '/v1/rates.csv?' + values;
    try {
      const reply = await fetch('/v1/rates?' + values, {signal: loading.signal});
      const body = await reply.json();
      rates = reply.ok ? body.rates : [];
      pair = {source: values.get('source'), target: values.get('target')};
      readout.textContent = reply.ok ? '' : body.title + ': ' + body.detail;
      draw();
      table();
    } catch (error) {
      if (error.name === 'AbortError') return; // for the next
      rates = [];
      draw();
      table();
      readout.textContent = 'The history did not come.';
    }
    section.setAttribute('aria-busy', 'false');
  };

  section.querySelector('.spans').addEventListener('click', event => {
    const button = event.target.closest('button');
    if (!button) return;
    for (const b of section.querySelectorAll('.spans button')) b.setAttribute('aria-pressed', String(b === button));
    span = button.dataset.span;
    load();
  });
  plot.addEventListener('keydown', event => {
    const steps = {ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -20, PageUp: 20, Home: -rates.length, End: rates.length};
    if (!chart || !(event.key in steps)) return;
    event.preventDefault();
    const i = Math.max(0, Math.min(rates.length - 1, at + steps[event.key]));
    chart.setCursor({left: chart.valToPos(seconds(rates[i].date), 'x'), top: 0});
    tell(i);
  });
  details.addEventListener('toggle', table);
  document.addEventListener('pair', load);
  document.addEventListener('backing', () => {
    const other = section.dataset.newest !== newest;
    newest = section.dataset.newest;
    if (other || rates.length === 0) load();
  });
  new ResizeObserver(() => { if (chart) chart.setSize(size()); }).observe(plot);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { if (chart) chart.redraw(); });
  load();
}
