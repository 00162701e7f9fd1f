// Numbers and times as the reader writes them. The pages have them as in en-GB
// and UTC, beside a form that machines read.
'use strict';

// numberIn keeps the digits of a decimal string, all of them.
function numberIn(text) {
  const digits = (text.split('.')[1] || '').length;
  return new Intl.NumberFormat(undefined, {minimumFractionDigits: digits, maximumFractionDigits: digits}).format(text);
}

function localize(root) {
  for (const number of root.querySelectorAll('data[value]')) number.textContent = numberIn(number.value);
  const instant = new Intl.DateTimeFormat(undefined, {dateStyle: 'medium', timeStyle: 'medium'});
  for (const time of root.querySelectorAll('time[datetime*=T]')) {
    if (!time.closest('.calls')) time.textContent = instant.format(new Date(time.dateTime));
  }
}

// dayOf is a date such as 2026-08-21 as the reader writes it.
function dayOf(date, options) {
  return new Intl.DateTimeFormat(undefined, {timeZone: 'UTC', ...options}).format(new Date(date + 'T00:00:00Z'));
}

localize(document);
