// Reads the events of `go test -json`, prints a line per package and the output of what failed, and counts.
//
//   go test -json ./... | node go-test-report.mjs NAME COUNTS_FILE NOTES_FILE
//
// One line of counts goes to COUNTS_FILE; skipped tests go to NOTES_FILE, for "left out" in the summary.
import { appendFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [name, countsFile, notesFile] = process.argv.slice(2);
const tests = { pass: 0, fail: 0, skip: 0 };
const packages = { pass: 0, fail: 0, skip: 0 };
const output = new Map(); // "package test" -> lines
const skipped = [];

for await (const line of createInterface({ input: process.stdin })) {
  let event;
  try {
    event = JSON.parse(line);
  } catch {
    console.log(line); // not an event: the go command's own words
    continue;
  }
  const where = event.Package ?? event.ImportPath ?? '';
  const key = `${where} ${event.Test ?? ''}`;
  switch (event.Action) {
    case 'output':
      if (!output.has(key)) output.set(key, []);
      output.get(key).push(event.Output);
      break;
    case 'build-output':
      process.stdout.write(event.Output);
      break;
    case 'pass':
    case 'fail':
    case 'skip':
      if (event.Test) finishTest(event, where, key);
      else finishPackage(event, where, key);
      output.delete(key);
  }
}

const line =
  `${name}: ${tests.pass} tests passed, ${tests.fail} failed, ${tests.skip} skipped (subtests included); ` +
  `${packages.pass} packages passed, ${packages.fail} failed, ${packages.skip} without tests`;
writeFileSync(countsFile, `${line}\n`);
console.log(line);

const shown = 40;
for (const test of skipped.slice(0, shown)) appendFileSync(notesFile, `${name}: skipped ${test}\n`);
if (skipped.length > shown) appendFileSync(notesFile, `${name}: skipped ${skipped.length - shown} more tests\n`);
if (tests.pass === 0) {
  console.error('error: not one test passed');
  process.exit(1);
}

function finishTest(event, where, key) {
  tests[event.Action] += 1;
  if (event.Action === 'skip') {
    const why = (output.get(key) ?? []).find(text => /_test\.go:\d+:/.test(text))?.trim() ?? '';
    skipped.push(`${where} ${event.Test} ${why}`.trim());
  }
  if (event.Action === 'fail') show(key);
}

function finishPackage(event, where, key) {
  packages[event.Action] += 1;
  if (event.Action === 'skip') return;
  if (event.Action === 'fail') show(key);
  console.log(`${event.Action === 'pass' ? 'ok  ' : 'FAIL'} ${where} ${event.Elapsed ?? 0}s`);
}

function show(key) {
  process.stdout.write((output.get(key) ?? []).join(''));
}
