/** The story of a name or a request: how each router names it, and where that leads. */
import { editDistance } from '../../config/suggest.ts';
import type { Identification } from '../admin/sources.ts';
import type { Paint } from '../commands/common.ts';
import { type EndpointHealth, labelsOf, type Namings } from './namings.ts';
import { type DelegationNode, type Outcome, outcomeOf } from './node.ts';
import { overrideOf, type Question } from './question.ts';
import { boundIn, treeText } from './tree-text.ts';

const NEAREST_MAX = 3;

/** What one router makes of it. */
export type Story = {
  readonly router: string;
  /** Of a request. */
  readonly identified?: Identification;
  readonly path?: string;
  readonly tree?: DelegationNode;
  readonly outcome: Outcome;
  readonly health: ReadonlyMap<string, ReadonlyMap<string, EndpointHealth>>;
  readonly names: readonly string[];
};

/** By every router, or the one of that label. */
export async function tell(
  namings: Namings,
  question: Question,
  only: string | undefined,
): Promise<readonly Story[]> {
  const labels = await labelsOf(namings, only);
  const chosen = only === undefined ? labels : [only];
  const names = await namings.names();
  const identified = question.type === 'request' ? await namings.identify(question.request) : {};
  return Promise.all(
    chosen.map(async (router): Promise<Story> => {
      const own = identified[router];
      const path = question.type === 'name' ? question.path : own?.path;
      const common = { router, names, ...(own === undefined ? {} : { identified: own }) };
      if (path === undefined) {
        const { code = 'unidentified', error = 'not identified' } = own ?? {};
        const outcome: Outcome = { type: 'error', code, why: error };
        return { ...common, outcome, health: new Map() };
      }
      const dtab = question.type === 'name' ? question.dtab : overrideOf(question.request);
      const tree = await namings.delegate(router, dtab, path);
      const health = new Map<string, ReadonlyMap<string, EndpointHealth>>();
      for (const { id } of boundIn(tree)) health.set(id, await namings.health(router, id));
      return { ...common, path, tree, outcome: outcomeOf(tree), health };
    }),
  );
}

export function storyText(story: Story, paint: Paint): string {
  const { router, identified, path, tree, outcome, health } = story;
  const lines = [`${paint.cyan('router')} ${router}`];
  if (identified !== undefined) {
    lines.push(
      path === undefined ? `identified: ${paint.red('no')}: ${outcomeWhy(outcome)}` : `identified as ${path}`,
    );
  }
  const nearest = (absent: string): readonly string[] => nearestNames(absent, story.names);
  const way = tree === undefined ? '' : `\n${treeText(tree, { paint, health, nearest })}`;
  return `${lines.join('\n')}\n${way}\n${endText(outcome, path, paint)}\n`;
}

function endText(outcome: Outcome, path: string | undefined, paint: Paint): string {
  if (outcome.type === 'bound') {
    const shares = [...outcome.shares];
    return shares.map(([id, share]) => `${paint.green('=>')} ${percent(share)} to ${id}`).join('\n');
  }
  const { code, why } = outcome;
  return `${paint.red('=>')} ${code}: ${path === undefined ? '' : `${path} `}${why} (docs/errors.md#${code})`;
}

function outcomeWhy(outcome: Outcome): string {
  return outcome.type === 'error' ? outcome.why : '';
}

export function percent(share: number): string {
  return `${Math.round(share * 1000) / 10}%`;
}

/** In the same place of the tree of names, the most alike first. */
function nearestNames(absent: string, names: readonly string[]): readonly string[] {
  const folder = absent.slice(0, absent.lastIndexOf('/') + 1);
  const word = absent.slice(folder.length);
  const allowed = Math.max(2, Math.floor(word.length / 2));
  return names
    .filter((name) => name.startsWith(folder) && !name.slice(folder.length).includes('/'))
    .map((name) => ({ name, distance: editDistance(word, name.slice(folder.length)) }))
    .filter(({ distance }) => distance <= allowed)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, NEAREST_MAX)
    .map(({ name }) => name);
}
