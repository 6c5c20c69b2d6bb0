// Fails when a package that uses the test kit ran without PostgreSQL, or, for the long run, without the long tests.
//
//   node engines.mjs long|short EVENTS_OF_GO_TEST_JSON
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

const [mode, file] = process.argv.slice(2);
const found = new Map(); // package -> its line
for await (const line of createInterface({ input: createReadStream(file) })) {
  if (!line.includes('caregraph tests: engines=')) continue;
  const event = JSON.parse(line);
  found.set(event.Package, event.Output.trim());
}

const problems = [];
for (const [name, line] of found) {
  const engines = line.match(/engines=(\S+)/)[1].split(',');
  if (!engines.includes('sqlite')) problems.push(`${name}: no SQLite: ${line}`);
  if (!engines.includes('postgres')) problems.push(`${name}: no PostgreSQL: ${line}`);
  if (mode === 'long' && !/long=yes\b/.test(line)) problems.push(`${name}: long tests left out: ${line}`);
}
if (found.size === 0) problems.push('no package said on which engines it ran');

for (const problem of problems) console.error(`error: ${problem}`);
console.log(`engines: ${found.size} packages, ${problems.length} problems`);
if (problems.length > 0) process.exit(1);
