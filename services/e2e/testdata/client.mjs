// Runs npm's frankfurter-api-client against another server than its own: the
// package has its origin built in, so fetch is wrapped. Prints what each of its
// four calls brought, and the URLs that it asked for.
//
//	node client.mjs PACKAGE_DIR ORIGIN
const [dir, origin] = process.argv.slice(2);
const asked = [];
const real = globalThis.fetch;
globalThis.fetch = (url, init) => {
  const moved = new URL(url);
  asked.push(moved.pathname + moved.search);
  return real(origin + moved.pathname + moved.search, init);
};
const client = await import(`file://${dir}/dist/index.js`);
const day = (year, month, date) => ({ year, month, date });
const outcome = async (call) => {
  try {
    return await call;
  } catch (err) {
    return { error: String(err.message) };
  }
};
console.log(JSON.stringify({
  latest: await outcome(client.getLatestRates({ base: "USD", symbols: ["EUR", "GBP"] })),
  day: await outcome(client.getHistoricalRatesForDate({ base: "EUR", symbols: ["USD"], period: day(2026, 8, 16) })),
  range: await outcome(client.getTimeSeriesRates({ base: "EUR", symbols: ["USD"], start: day(2026, 8, 19), end: day(2026, 8, 21) })),
  unknown: await outcome(client.getLatestRates({ base: "XYZ" })),
  currencies: await outcome(client.getSupportedCurrencies()),
  asked,
}));
