/** `turnout check [CONFIG]`: is a router that runs healthy, or could one start here by CONFIG. */
import type { Category, CheckResult } from '../check/result.ts';
import { CannotRun, command, exitCode, fileName, text } from '../command.ts';
import { readConfig } from '../read-config.ts';
import { adminOption, outputOption, paintFor } from './common.ts';

export const checkCommand = command({
  name: 'check',
  summary: 'is the router healthy; with CONFIG: could one start here by it',
  details: `  Without CONFIG: admin server, ports, certificates, watches, clock, descriptors, and a request
  through each server that the router answers itself (--request URL: a real one, to its application).
  With CONFIG, before a start: its mistakes, ports, certificates, the Kubernetes API verb by verb, DNS.
  √ good, ‼ look at it, × broken. Exit code 1: something is broken.`,
  operands: { synopsis: '[CONFIG]', min: 0, max: 1, what: 'a configuration', completes: 'file' },
  options: {
    admin: adminOption,
    request: text('URL', 'ask for it through the first server of the router'),
    kubeconfig: fileName('FILE', 'reach the Kubernetes API as this kubeconfig says'),
    namespace: text('NAME', 'check access to the API in this namespace (all)'),
    output: outputOption,
  },
  async run({ admin, request, kubeconfig, namespace, output }, [name], { stdin, stdout }) {
    const { checksJson, checkText } = await import('../check/result.ts');
    const categories =
      name === undefined
        ? await ofRunning(admin, request)
        : (await import('../check/before-start.ts')).beforeStart(await readConfig(name, stdin), {
            kubeconfig,
            namespace,
          });
    const paint = paintFor(stdout);
    const done: { name: string; checks: CheckResult[] }[] = [];
    for (const category of categories) {
      const checks: CheckResult[] = [];
      done.push({ name: category.name, checks });
      for await (const check of guarded(category)) {
        if (output === 'table') {
          if (checks.length === 0) stdout.write(`${heading(category.name, done.length > 1)}`);
          stdout.write(checkText(check, paint));
        }
        checks.push(check);
      }
      // Nothing else can be asked then.
      if (checks.some(({ id, result }) => id === 'admin' && result === 'error')) break;
    }
    const broken = done.some(({ checks }) => checks.some(({ result }) => result === 'error'));
    if (output === 'json') stdout.write(`${JSON.stringify(checksJson(done), null, 2)}\n`);
    else stdout.write(`\nStatus check results are ${broken ? paint.red('×') : paint.green('√')}\n`);
    return broken ? exitCode.cannotRun : exitCode.done;
  },
});

async function ofRunning(admin: string, request: string | undefined): Promise<readonly Category[]> {
  const [{ AdminClient }, { running }] = await Promise.all([
    import('../inspect/admin-client.ts'),
    import('../check/running.ts'),
  ]);
  return running(new AdminClient(admin), request);
}

/** An admin server that does not answer is a finding, not the end of the checks. */
async function* guarded(category: Category): AsyncGenerator<CheckResult> {
  try {
    yield* category.run();
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    yield {
      id: 'admin',
      description: `${category.name} can be asked for`,
      result: 'error',
      problem: error.message,
    };
  }
}

function heading(name: string, later: boolean): string {
  return `${later ? '\n' : ''}${name}\n${'-'.repeat(name.length)}\n`;
}
