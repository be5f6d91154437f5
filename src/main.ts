#!/usr/bin/env -S node --max-semi-space-size=4
/**
 * The program's entry. It imports nothing before it knows that this Node can run the rest, and holds to
 * syntax that old ones can read, so that they get a sentence and not a syntax error. The minimum is the one
 * of package.json (a test compares them): older releases can hide a Content-Length behind a thousand headers.
 */
const MINIMUM = '24.18.1';

function rank(version: string): number {
  return version.split('.').reduce((sum, part) => sum * 10_000 + Number.parseInt(part, 10), 0);
}

if (rank(process.versions.node) < rank(MINIMUM)) {
  process.stderr.write(`turnout needs Node ${MINIMUM} or newer; ${process.execPath} is ${process.version}\n`);
  process.exitCode = 2;
} else {
  import('./cli.ts')
    .then(({ cli }) => cli(process.argv.slice(2)))
    .then((code) => {
      process.exitCode = code;
    });
}

export {};
