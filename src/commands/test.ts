/** `turnout test FILE`: routing tests, for CI. */
import { writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { CannotRun, command, exitCode, fileName } from '../command.ts';
import { problemOf } from '../file-problem.ts';
import { readConfig } from '../read-config.ts';
import type { Result } from '../routing-tests/routing-test.ts';
import { outputOption, type Paint, paintFor } from './common.ts';

export const testCommand = command({
  name: 'test',
  summary: 'run the routing tests of FILE: request -> bound name, weights or error',
  details: `  config: linkerd.yaml
  answers: {"/#/io.l5d.fs/web": "10.0.0.1:8080"}   # in place of the namers; without it they are asked
  tests:
  - request: http://web/          # or a name: /svc/web
    headers: {l5d-dtab: /svc/a => /svc/web}
    router: outgoing              # the first
    expect: {bound: "/#/io.l5d.fs/web"}             # or weights: {ID: N}, or error: no-endpoints

  Exit code 1: a test does not hold.`,
  operands: { synopsis: 'FILE', min: 1, max: 1, what: 'a file of tests', completes: 'file' },
  options: {
    config: fileName('FILE', 'the configuration to test (that of the file)'),
    junit: fileName('FILE', 'write the results there as JUnit XML'),
    output: outputOption,
  },
  async run({ config, junit: xmlFile, output }, [file = '-'], { stdin, stdout }) {
    const { text, source } = await readConfig(file, stdin);
    const [{ readTests }, { runRoutingTest }, { Offline, specOf }, { stubNamer }] = await Promise.all([
      import('../routing-tests/read-tests.ts'),
      import('../routing-tests/routing-test.ts'),
      import('../inspect/offline.ts'),
      import('../routing-tests/stub-namer.ts'),
    ]);
    const { config: named, answers, tests } = readTests(text, source);
    const configFile = config ?? (named === undefined ? undefined : resolve(dirname(file), named));
    if (configFile === undefined)
      throw new CannotRun(`${source}: say which configuration with the key config, or --config`);
    const spec = specOf(await readConfig(configFile, stdin));
    const offline = new Offline(spec, answers && ((prefix) => stubNamer(prefix, answers)));
    const paint = paintFor(stdout);
    const results = [];
    try {
      for (const test of tests) {
        const result = await runRoutingTest(test, offline);
        results.push(result);
        if (output === 'table') stdout.write(resultText(result, paint));
      }
    } finally {
      offline.close();
    }
    const failed = results.filter(({ wrong }) => wrong !== undefined).length;
    if (output === 'json') stdout.write(`${JSON.stringify(results, null, 2)}\n`);
    else stdout.write(`${results.length - failed} of ${results.length} hold\n`);
    if (xmlFile !== undefined) {
      const { junit } = await import('../routing-tests/junit.ts');
      try {
        writeFileSync(xmlFile, junit(source, results));
      } catch (error) {
        throw new CannotRun(`cannot write ${xmlFile}: ${problemOf(error)}`);
      }
    }
    return failed === 0 ? exitCode.done : exitCode.cannotRun;
  },
});

function resultText({ name, wrong }: Result, paint: Paint): string {
  return wrong === undefined ? `${paint.green('√')} ${name}\n` : `${paint.red('×')} ${name}\n     ${wrong}\n`;
}
