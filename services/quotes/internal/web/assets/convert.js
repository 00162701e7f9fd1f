// The result as one types: the page itself is asked, and its answer shown. The
// address always leads to what is seen.
'use strict';

{
  const form = document.querySelector('#convert');
  const answer = document.querySelector('#answer');
  let asking, due;

  const question = () => {
    const values = new URLSearchParams();
    // A decimal comma is fine where people write one.
    const comma = (1.5).toLocaleString().includes(',');
    let amount = form.amount.value.trim();
    if (comma && !amount.includes('.')) amount = amount.replace(',', '.');
    values.set('amount', amount);
    values.set('source', form.source.value);
    values.set('target', form.target.value);
    if (form.date.value) values.set('date', form.date.value);
    return values;
  };

  // The currencies to choose from are those of the day, and known only when
  // the backing service has answered.
  const offer = page => {
    for (const side of [form.source, form.target]) {
      const now = page.querySelector('#convert [name=' + side.name + ']');
      const codes = select => [...select.options].map(o => o.value).join();
      const chosen = side.value;
      if (now.value !== chosen || codes(now) === codes(side)) continue;
      side.replaceChildren(...now.children);
      side.value = chosen; // a select that loses a group chooses anew
    }
  };

  const say = text => {
    const p = document.createElement('p');
    p.className = 'problem';
    p.setAttribute('role', 'alert');
    p.textContent = text;
    answer.replaceChildren(p);
  };

  const ask = async () => {
    if (asking) asking.abort();
    asking = new AbortController();
    const values = question();
    try {
      const reply = await fetch('/?' + values, {signal: asking.signal, headers: {Accept: 'text/html'}});
      const page = new DOMParser().parseFromString(await reply.text(), 'text/html');
      const found = page.querySelector('#answer');
      if (!found) return say('It is too busy to answer; try again in a moment.');
      localize(found);
      answer.replaceChildren(...found.childNodes);
      offer(page);
      document.title = page.title;
      const problem = answer.querySelector('.problem');
      form.amount.setAttribute('aria-invalid', String(Boolean(problem && problem.dataset.field === 'amount')));
      if (!problem) history.replaceState(null, '', '/?' + values);
    } catch (error) {
      if (error.name !== 'AbortError') say('quotes itself does not answer.');
    }
  };

  const changed = () => {
    clearTimeout(due);
    for (const b of answer.querySelectorAll('.lock button')) b.disabled = true; // it is of another question
    due = setTimeout(ask, 150);
  };
  form.addEventListener('input', event => {
    // 100.00 is no amount of a currency without decimals, and 100 is one of all.
    if (event.target === form.source) form.amount.value = form.amount.value.replace(/[.,]0{1,2}$/, '');
    changed();
    if (event.target !== form.amount) document.dispatchEvent(new Event('pair'));
  });
  // What was asked in vain, or answered with a warning, may have another answer now.
  document.addEventListener('backing', () => { if (!answer.contains(document.activeElement)) changed(); });
  addEventListener('pageshow', event => { if (event.persisted) changed(); }); // with a key of its own
  form.addEventListener('submit', event => {
    event.preventDefault();
    changed();
  });
  form.querySelector('.swap').addEventListener('click', event => {
    event.preventDefault();
    [form.source.value, form.target.value] = [form.target.value, form.source.value];
    for (const side of [form.source, form.target]) side.dispatchEvent(new Event('change'));
    form.source.dispatchEvent(new Event('input', {bubbles: true}));
  });
}
