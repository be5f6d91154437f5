/**
 * `npm run vectors -- DIR`: runs every *.json of a folder, prints what fails, and exits with 1 if anything
 * does.
 */
import { check, loadVectors, opsFor } from './check.ts';

const directory = process.argv[2];
if (directory === undefined) {
  console.error('usage: npm run vectors -- DIR');
  process.exit(2);
}

let passed = 0;
let failed = 0;
for (const [file, vectors] of loadVectors(directory)) {
  const ops = await opsFor(file);
  for (const vector of vectors) {
    const problem = await check(vector, ops);
    if (problem === undefined) {
      passed++;
      continue;
    }
    failed++;
    console.log(`FAILED ${file}: ${vector.name}`);
    console.log(`  expected ${JSON.stringify(problem.expected)}`);
    console.log(`  got      ${JSON.stringify(problem.got)}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
