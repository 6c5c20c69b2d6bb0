// GraphQL over HTTP: the audits of graphql-http against a running server. An error (MUST) and a warning (SHOULD) fail; a notice
// (MAY) is printed.
//
//   node audit.mjs http://127.0.0.1:8080/graphql
import { auditServer } from 'graphql-http';

const url = process.argv[2];
if (!url) {
  console.error('usage: node audit.mjs URL');
  process.exit(2);
}

const results = await auditServer({ url, fetchFn: fetch });

const count = { ok: 0, notice: 0, warn: 0, error: 0 };
for (const result of results) {
  count[result.status] += 1;
  if (result.status === 'ok') continue;
  console.log(`${result.status.toUpperCase().padEnd(6)} ${result.id} ${result.name}\n       ${result.reason}`);
}

console.log(
  `audits: ${results.length} run, ${count.ok} ok, ${count.notice} notices, ${count.warn} warnings, ${count.error} errors`,
);
if (results.length === 0 || count.warn > 0 || count.error > 0) process.exit(1);
