/** `turnout explain REQUEST|NAME`: where it goes, and which entries and answers say so. */
import { command, exitCode, fileName, text } from '../command.ts';
import { readConfig } from '../read-config.ts';
import { adminOption, headersOption, outputOption, paintFor } from './common.ts';

export const explainCommand = command({
  name: 'explain',
  summary: 'where a request or a name goes and why, step by step',
  details: `  turnout explain http://web/path -H 'l5d-dtab: /svc/web => /svc/web-v2'
  turnout explain /svc/web --config linkerd.yaml

  A word that begins with / is a name. Exit code 1: no router resolves it.`,
  operands: {
    synopsis: 'REQUEST|NAME',
    min: 1,
    max: 1,
    what: 'a request (http://web/path) or a name (/svc/web)',
  },
  options: {
    admin: adminOption,
    config: fileName('FILE', 'ask this configuration instead of a router that runs'),
    router: text('LABEL', 'only this router (all)'),
    method: text('METHOD', 'of the request', 'GET'),
    header: headersOption,
    output: outputOption,
  },
  async run({ admin, config, router, method, header, output }, [word = ''], { stdin, stdout }) {
    const { questionOf } = await import('../inspect/question.ts');
    const question = questionOf(word, header, method);
    const { openNamings } = await import('../inspect/open-namings.ts');
    const { storyText, tell } = await import('../inspect/explain.ts');
    const namings = openNamings(admin, config === undefined ? undefined : await readConfig(config, stdin));
    try {
      const stories = await tell(namings, question, router);
      const paint = paintFor(stdout);
      stdout.write(
        output === 'json'
          ? `${JSON.stringify(stories.map(plain), null, 2)}\n`
          : stories.map((story) => storyText(story, paint)).join('\n'),
      );
      return stories.some(({ outcome }) => outcome.type === 'bound') ? exitCode.done : exitCode.cannotRun;
    } finally {
      namings.close();
    }
  },
});

type Told = Awaited<ReturnType<typeof import('../inspect/explain.ts')['tell']>>[number];

function plain({ router, identified, path, tree, outcome, health }: Told): object {
  return {
    router,
    identified,
    path,
    outcome: outcome.type === 'bound' ? { ...outcome, shares: Object.fromEntries(outcome.shares) } : outcome,
    tree,
    endpoints: Object.fromEntries([...health].map(([id, each]) => [id, Object.fromEntries(each)])),
  };
}
