// A select becomes a field to search in, by code or name (the ARIA pattern
// "editable combobox with list autocomplete"). The select stays, unseen: it is
// what the form sends.
'use strict';

for (const [n, select] of [...document.querySelectorAll('#convert select')].entries()) {
  const field = document.createElement('input');
  const list = document.createElement('ul');
  const label = select.labels[0]; // the field's, once that is in it
  const name = label.firstChild.textContent.trim();
  list.id = 'currencies-' + n;
  list.hidden = true;
  list.setAttribute('role', 'listbox');
  list.setAttribute('aria-label', name);
  const attributes = {role: 'combobox', 'aria-label': name, 'aria-autocomplete': 'list', 'aria-expanded': 'false', 'aria-controls': list.id, autocomplete: 'off', spellcheck: 'false'};
  for (const [k, v] of Object.entries(attributes)) field.setAttribute(k, v);
  select.before(field);
  label.after(list);
  select.hidden = true;

  let active = -1;
  const show = () => { field.value = select.selectedOptions[0] ? select.selectedOptions[0].text : ''; };
  const close = () => {
    list.hidden = true;
    active = -1;
    field.setAttribute('aria-expanded', 'false');
    field.removeAttribute('aria-activedescendant');
  };
  const mark = to => {
    active = to;
    [...list.children].forEach((item, i) => item.setAttribute('aria-selected', i === to));
    const item = list.children[to];
    if (!item) return field.removeAttribute('aria-activedescendant');
    field.setAttribute('aria-activedescendant', item.id);
    item.scrollIntoView({block: 'nearest'});
  };
  const open = search => {
    const words = search.toLowerCase();
    const found = [...select.options].filter(o => o.text.toLowerCase().includes(words));
    const rank = o => o.value.toLowerCase().startsWith(words) ? 0 : 1; // common ones are first within each
    found.sort((a, b) => rank(a) - rank(b));
    list.replaceChildren(...found.map(o => {
      const item = document.createElement('li');
      item.id = list.id + '-' + o.value;
      item.setAttribute('role', 'option');
      item.dataset.code = o.value;
      item.textContent = o.text;
      return item;
    }));
    list.hidden = found.length === 0;
    list.style.top = label.offsetTop + label.offsetHeight + 4 + 'px';
    field.setAttribute('aria-expanded', String(found.length > 0));
    mark(search && found.length ? 0 : found.findIndex(o => o.value === select.value));
  };
  const choose = code => {
    if ([...select.options].some(o => o.value === code)) select.value = code; // it may be offered no more
    close();
    show();
    select.dispatchEvent(new Event('input', {bubbles: true}));
  };

  field.addEventListener('focus', () => field.select());
  field.addEventListener('click', () => open(''));
  field.addEventListener('input', event => {
    event.stopPropagation(); // not an answer yet
    open(field.value.trim());
  });
  field.addEventListener('blur', () => { close(); show(); });
  field.addEventListener('keydown', event => {
    const last = list.children.length - 1;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (list.hidden) return open('');
      mark(event.key === 'ArrowDown' ? Math.min(active + 1, last) : Math.max(active - 1, 0));
    } else if (event.key === 'Enter' && !list.hidden) {
      event.preventDefault();
      if (list.children[active]) choose(list.children[active].dataset.code);
    } else if (event.key === 'Tab' && !list.hidden && list.children[active] && list.children[active].dataset.code !== select.value) {
      choose(list.children[active].dataset.code); // what is marked is what one means
    } else if (event.key === 'Escape' && !list.hidden) {
      close();
      show();
      field.select();
    }
  });
  list.addEventListener('pointerdown', event => {
    event.preventDefault(); // the field keeps the focus
    const item = event.target.closest('li');
    if (item) choose(item.dataset.code);
  });
  select.addEventListener('change', show); // the sides were swapped
  show();
}
